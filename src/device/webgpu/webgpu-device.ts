import type { Device } from '../device.js';
import { gpuLearner } from './gpu-learner.js';
import { GpuMemory, type GpuMemoryOptions } from './gpu-memory.js';
import { type GpuCounts, GpuQueue } from './gpu-queue.js';
import { gpuRetriever } from './gpu-retriever.js';

/** A device on a GPU. */
export interface WebGpuDevice extends Device {
  /** What was computed so far. */
  readonly counts: Readonly<GpuCounts>;
}

export interface WebGpuDeviceOptions extends GpuMemoryOptions {
  /** Whether `wgslLanguageFeatures` has `packed_4x8_integer_dot_product`. */
  packedDots?: boolean | undefined;
}

/**
 * Searches and learns on a GPU; `host`, the processor's device, does what takes float64. What was
 * made on one device is that device's alone.
 */
export function createWebGpuDevice(
  device: GPUDevice,
  host: Device,
  { packedDots = false, ...options }: WebGpuDeviceOptions = {},
): WebGpuDevice {
  const queue = new GpuQueue(device);
  const memory = new GpuMemory(queue, options);
  const context = { queue, memory, packedDots };
  return {
    threads: host.threads,
    counts: queue.counts,
    get closed() {
      return queue.failed;
    },
    readsFiles: false,
    upload: (dtype, data) => memory.upload(dtype, data),
    allocate: (dtype, length) => memory.allocate(dtype, length),
    join: (dtype, parts) => memory.join(dtype, parts),
    attach: (dtype, length, file) => memory.attach(dtype, length, file),
    read: (tensor, from, to) => memory.read(tensor, from, to),
    write: (tensor, data, at) => memory.write(tensor, data, at),
    free: (...tensors) => memory.free(...tensors),
    ...gpuRetriever(context),
    ...gpuLearner(context, host),
    async close() {
      queue.close();
    },
  };
}
