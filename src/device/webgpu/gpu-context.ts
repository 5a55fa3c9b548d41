import type { GpuMemory } from './gpu-memory.js';
import type { GpuQueue } from './gpu-queue.js';

/** What operations are recorded in, and where their tensors lie. */
export interface GpuContext {
  readonly queue: GpuQueue;
  readonly memory: GpuMemory;
}
