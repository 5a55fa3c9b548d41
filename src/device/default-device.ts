import { LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import { platform } from '../platform.js';
import { describeKind } from '../value-kind.js';
import { createCpuDevice } from './cpu/cpu-device.js';
import type { Device, SearchDevice } from './device.js';
import { LEARNER_METHODS, missingMethods, SEARCH_METHODS } from './device-methods.js';
import { isThreads, MOST_THREADS, wrongThreads } from './threads.js';

/** Where a call computes. */
export interface DeviceOptions {
  /**
   * Worker threads, 256 at most; default: all the machine has (`os.availableParallelism()`).
   * Results do not depend on it.
   */
  threads?: number | undefined;
  /**
   * A device in place of the processor's, with all that searches need, and for `fit` what learning
   * does. The package makes none yet, so leave it out; the methods of a device are no part of the
   * public interface and may change with any version.
   */
  device?: SearchDevice | undefined;
}

export const DEVICE_OPTIONS: OptionNames<DeviceOptions> = { threads: true, device: true };

/**
 * Raises 'invalid-argument' for what is no device, and numbers of threads that no machine makes use
 * of.
 */
export function checkDevice({ device, threads }: DeviceOptions): void {
  if (threads !== undefined && !isThreads(threads)) throw wrongThreads(threads);
  if (device === undefined || device === null) return;
  const missing = missingMethods(device, SEARCH_METHODS);
  if (missing.length === 0) return;
  const lacks = missing.length < SEARCH_METHODS.length ? ` without ${missing.join(', ')}` : '';
  const message =
    "device: expected a device of your own, or none for the processor's, " +
    `got ${describeKind(device)}${lacks}`;
  throw new LemurError('invalid-argument', message, { where: 'device' });
}

/**
 * The device as one that learns too, for a call of that name. Raises 'unsupported' where it only
 * searches.
 */
export function learningDevice(device: SearchDevice, where: string): Device {
  const missing = missingMethods(device, LEARNER_METHODS);
  if (missing.length === 0) return device as Device;
  const message =
    `${where}: this device searches but does not learn: ` + `it has no ${missing.join(', ')}`;
  throw new LemurError('unsupported', message, { where });
}

const devices = new Map<number, Promise<Device>>();

/**
 * The caller's device, which may be one that only searches; else one for each number of threads,
 * made when first needed and kept while it lives: its workers never keep a process alive.
 */
export async function resolveDevice(options: DeviceOptions): Promise<SearchDevice> {
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
