import { LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import { platform } from '../platform.js';
import { describeKind, showValue } from '../value-kind.js';
import type { AdapterDescription } from './adapter-description.js';
import { createCpuDevice } from './cpu/cpu-device.js';
import type { Device, SearchDevice } from './device.js';
import { LEARNER_METHODS, missingMethods, SEARCH_METHODS } from './device-methods.js';
import { type DeviceSpeed, isQuicker, measureSpeed } from './device-speed.js';
import { providedGpu } from './provided-gpu.js';
import { isThreads, MOST_THREADS, wrongThreads } from './threads.js';

/**
 * What computes: `cpu`, the processor; `webgpu`, the machine's GPU, up to rounding with the same
 * results; `auto`, whichever a short measurement finds faster, never a GPU that is a program.
 */
export type DeviceName = 'cpu' | 'webgpu' | 'auto';

const NAMES: readonly string[] = ['cpu', 'webgpu', 'auto'];

/** Where a call computes. */
export interface DeviceOptions {
  /**
   * Worker threads, 256 at most; default: all the machine has (`os.availableParallelism()`).
   * Results do not depend on it.
   */
  threads?: number | undefined;
  /**
   * `cpu`, `webgpu` or `auto`; default `cpu`, which gives the same bytes everywhere. In Node
   * `webgpu` needs the package of that name. Or a device of your own, with all that searches need,
   * and for `fit` what learning does; its methods are no part of the public interface and may
   * change with any version.
   */
  device?: DeviceName | SearchDevice | undefined;
}

export const DEVICE_OPTIONS: OptionNames<DeviceOptions> = { threads: true, device: true };

/**
 * Raises 'invalid-argument' for what is no device, and numbers of threads that no machine makes use
 * of.
 */
export function checkDevice({ device, threads }: DeviceOptions): void {
  if (threads !== undefined && !isThreads(threads)) throw wrongThreads(threads);
  if (device === undefined || device === null || NAMES.includes(device as string)) return;
  const missing = missingMethods(device, SEARCH_METHODS);
  if (missing.length === 0) return;
  const lacks = missing.length < SEARCH_METHODS.length ? ` without ${missing.join(', ')}` : '';
  const got = typeof device === 'string' ? showValue(device) : describeKind(device);
  const message =
    "device: expected 'cpu', 'webgpu', 'auto' or a device of your own, " + `got ${got}${lacks}`;
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

const processors = new Map<number, Promise<Device>>();
const cards = new Map<Device, Promise<Device>>();
const speeds = new WeakMap<SearchDevice, Promise<DeviceSpeed>>();

/**
 * The caller's device, which may be one that only searches; else one for each name and number of
 * threads, made when first needed and kept while it lives: it never keeps a process alive. `work`:
 * multiplications and additions of a usual call, by which `auto` chooses.
 */
export async function resolveDevice(
  options: DeviceOptions,
  work: number = Infinity,
): Promise<SearchDevice> {
  checkDevice(options);
  const { device, threads } = options;
  if (device && typeof device !== 'string') return device;
  const wanted = threads ?? Math.min(platform().parallelism, MOST_THREADS);
  const processor = await kept(processors, wanted, () => createCpuDevice(platform(), wanted));
  if (device === 'webgpu') return cardOf(processor);
  return device === 'auto' ? quickerDevice(processor, work) : processor;
}

/** One that was made before and still lives, or a new one. */
async function kept<K>(
  devices: Map<K, Promise<Device>>,
  key: K,
  make: () => Promise<Device>,
): Promise<Device> {
  const before = devices.get(key);
  if (before && !(await before).closed) return before;
  // another call may have made a new one meanwhile
  const current = devices.get(key);
  if (current && current !== before) return current;
  const made = make();
  devices.set(key, made);
  made.catch(() => devices.delete(key));
  return made;
}

/** The GPU's. Rejects with 'unsupported' or 'missing-package'. */
function cardOf(processor: Device): Promise<Device> {
  return kept(cards, processor, async () => {
    const { gpu, openWebGpu } = await providedGpu();
    return openWebGpu(gpu, processor);
  });
}

/** The GPU's adapter. Rejects with 'unsupported' or 'missing-package'. */
export async function describeGpu(): Promise<AdapterDescription> {
  const { gpu, describeAdapter } = await providedGpu();
  return describeAdapter(gpu);
}

/** The GPU's device where there is a card that was measured to be faster, else the processor's. */
async function quickerDevice(processor: Device, work: number): Promise<Device> {
  try {
    const { gpu, hasSoftwareAdapter } = await providedGpu();
    if (await hasSoftwareAdapter(gpu)) return processor;
    const card = await cardOf(processor);
    const quicker = isQuicker(await speedOf(card), await speedOf(processor), work);
    return quicker ? card : processor;
  } catch {
    return processor;
  }
}

/** Measured once. */
function speedOf(device: SearchDevice): Promise<DeviceSpeed> {
  const measured = speeds.get(device) ?? measureSpeed(device);
  speeds.set(device, measured);
  return measured;
}
