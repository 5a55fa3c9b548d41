import { platform } from '../platform.js';
import { createCpuDevice } from './cpu/cpu-device.js';
import type { Device, Tensor } from './device.js';

/** Where a call computes. */
export interface DeviceOptions {
  /** Worker threads; default: all the machine has (`os.availableParallelism()`). Results do not depend on it. */
  threads?: number | undefined;
  /** A device of your own instead. */
  device?: Device | undefined;
}

const devices = new Map<number, Promise<Device>>();

/** One device for each number of threads, made when first needed and kept; its workers never keep a process alive. */
export function resolveDevice({ device, threads }: DeviceOptions): Promise<Device> {
  if (device) return Promise.resolve(device);
  const wanted = threads ?? platform().parallelism;
  let made = devices.get(wanted);
  if (!made) {
    made = createCpuDevice(platform(), wanted);
    devices.set(wanted, made);
    made.catch(() => devices.delete(wanted));
  }
  return made;
}

const forgotten = new FinalizationRegistry(({ device, tensors }: { device: Device; tensors: readonly Tensor[] }) =>
  device.free(...tensors),
);

/** Frees the tensors when `owner` has been garbage-collected, or when the function returned is called, whichever is first. */
export function freeWith(owner: object, device: Device, tensors: readonly Tensor[]): () => void {
  const token = {};
  forgotten.register(owner, { device, tensors }, token);
  return () => {
    forgotten.unregister(token);
    device.free(...tensors);
  };
}
