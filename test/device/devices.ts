import { afterAll, beforeAll } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { plainPlatform } from '../../dist/device/cpu/plain-platform.js';
import type { Device, SearchDevice } from '../../dist/device/device.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { PlainRetriever } from './plain-retriever.js';
import { webGpuDevice } from './webgpu-device.js';

/** A write behind scratch memory fails the job. */
const guarded = { guardScratch: true };

const MAKERS = {
  plain: () => createCpuDevice(plainPlatform, 1, guarded),
  'one thread': () => createCpuDevice(nodePlatform, 1, guarded),
  'two threads': () => createCpuDevice(nodePlatform, 2, guarded),
  'five threads': () => createCpuDevice(nodePlatform, 5, guarded),
  'unshared memory': () =>
    createCpuDevice({ ...nodePlatform, sharedMemory: false }, undefined, guarded),
  webgpu: webGpuDevice,
} satisfies Record<string, () => Promise<Device>>;

/** `webgpu` is no processor, but does all that one does. */
export type CpuDeviceName = keyof typeof MAKERS;
/** `retriever alone`: a device that does not learn, and is not the CPU's. */
export type DeviceName = CpuDeviceName | 'retriever alone';

/** The GPU's where it is asked for; on a software device the suites take many minutes. */
export const GPU_DEVICES: readonly 'webgpu'[] = process.env.LEMUR_TEST_GPU ? ['webgpu'] : [];

/** Those that all that searches runs on. */
export const SEARCHING: readonly DeviceName[] = [
  'plain',
  'one thread',
  'two threads',
  'unshared memory',
  'retriever alone',
  ...GPU_DEVICES,
];

/**
 * The devices of a test file, made before its tests and closed after them; gives each by its name.
 */
export function cpuDevicesFor(names: readonly CpuDeviceName[]): (name: string) => Device {
  const devices = new Map<string, Device>();
  beforeAll(async () => {
    for (const name of names) devices.set(name, await MAKERS[name]());
  });
  afterAll(async () => {
    for (const one of devices.values()) await one.close();
  });
  return (name) => devices.get(name) as Device;
}

/** Devices that search, by their names. */
export function devicesFor(names: readonly DeviceName[]): (name: string) => SearchDevice {
  const device = cpuDevicesFor(names.filter((name) => name !== 'retriever alone'));
  const alone = new PlainRetriever();
  return (name) => (name === 'retriever alone' ? alone : device(name));
}
