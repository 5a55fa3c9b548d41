import type { GpuMemory } from './gpu-memory.js';
import type { GpuQueue } from './gpu-queue.js';

/** What operations are recorded in, and where their tensors lie. */
export interface GpuContext {
  readonly queue: GpuQueue;
  readonly memory: GpuMemory;
  /** Whether WGSL has inner products of int8 here; what they give is the same without. */
  readonly packedDots: boolean;
}
