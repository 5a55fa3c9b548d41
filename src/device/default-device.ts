import { LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import { platform } from '../platform.js';
import { describeKind } from '../value-kind.js';
import { createCpuDevice } from './cpu/cpu-device.js';
import type { Device, Tensor } from './device.js';
import { isThreads, MOST_THREADS, wrongThreads } from './threads.js';

/** Where a call computes. */
export interface DeviceOptions {
  /**
   * Worker threads, 256 at most; default: all the machine has (`os.availableParallelism()`).
   * Results do not depend on it.
   */
  threads?: number | undefined;
  /** A device of your own instead. */
  device?: Device | undefined;
}

export const DEVICE_OPTIONS: OptionNames<DeviceOptions> = { threads: true, device: true };

/**
 * Raises 'invalid-argument' for what is no device, and numbers of threads that no machine makes use
 * of.
 */
export function checkDevice({ device, threads }: DeviceOptions): void {
  if (threads !== undefined && !isThreads(threads)) throw wrongThreads(threads);
  if (device === undefined || device === null) return;
  const { upload, allocate, free, maxSim } = Object(device) as Partial<Device>;
  if ([upload, allocate, free, maxSim].every((method) => typeof method === 'function')) return;
  const message = `device: expected a Device of your own, or none for the processor's, got ${describeKind(device)}`;
  throw new LemurError('invalid-argument', message, { where: 'device' });
}

const devices = new Map<number, Promise<Device>>();

/**
 * One device for each number of threads, made when first needed and kept while it lives; its
 * workers never keep a process alive.
 */
export async function resolveDevice(options: DeviceOptions): Promise<Device> {
  checkDevice(options);
  const { device, threads } = options;
  if (device) return device;
  const wanted = threads ?? Math.min(platform().parallelism, MOST_THREADS);
  const kept = devices.get(wanted);
  if (kept && !(await kept).closed) return kept;
  // another call may have made a new one meanwhile
  const current = devices.get(wanted);
  if (current && current !== kept) return current;
  const made = createCpuDevice(platform(), wanted);
  devices.set(wanted, made);
  made.catch(() => devices.delete(wanted));
  return made;
}

const forgotten = new FinalizationRegistry(
  ({ device, tensors }: { device: Device; tensors: readonly Tensor[] }) => device.free(...tensors),
);

/**
 * Frees the tensors when `owner` has been garbage-collected, or when the function returned is
 * called, whichever is first.
 */
export function freeWith(owner: object, device: Device, tensors: readonly Tensor[]): () => void {
  const token = {};
  forgotten.register(owner, { device, tensors }, token);
  return () => {
    forgotten.unregister(token);
    device.free(...tensors);
  };
}
