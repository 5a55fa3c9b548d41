import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { Device } from '../../dist/device/device.js';
import { openWebGpu } from '../../dist/device/webgpu/open-webgpu.js';
import { requestNodeGpu } from '../../dist/entry/node-gpu.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';

/** The GPU's device, with a processor's of its own. */
export async function webGpuDevice(): Promise<Device> {
  const host = await createCpuDevice(nodePlatform, 1);
  return openWebGpu(await requestNodeGpu(), host);
}
