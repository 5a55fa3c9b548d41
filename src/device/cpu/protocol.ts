import type { SentMemory } from '../../kernels/memory.js';
import type { CpuArray, CpuTensor } from './cpu-tensor.js';
import type { ScratchArea } from './scratch-area.js';
import type { TensorLocation } from './tensor-location.js';

/** An operation and how many blocks it has; a job is a few, each after the one before it. */
export interface JobStep {
  readonly operation: string;
  readonly args: unknown;
  readonly blocks: number;
}

/** From the device to a worker. */
export type ToWorker =
  /**
   * First message. Without a module the plain kernels; `memory` is shared, or null: the worker
   * makes its own.
   */
  | {
      type: 'start';
      module: WebAssembly.Module | null;
      /** Kernels beside it (`relaxedModule`). */
      relaxed: WebAssembly.Module | null;
      memory: SentMemory | null;
      /** Whether writes behind pieces of scratch are looked for. */
      guardScratch: boolean;
    }
  /** A tensor and where it is; `zero`: the worker clears it. */
  | { type: 'tensor'; tensor: CpuTensor; location: TensorLocation; top: number; zero: boolean }
  | { type: 'free'; id: number }
  /** Values out: of a file, and where memory is not shared of any tensor without parts. */
  | { type: 'read'; request: number; tensor: CpuTensor; from: number; to: number }
  /** Unshared memory only: values in. */
  | { type: 'write'; tensor: CpuTensor; at: number; data: CpuArray }
  /** Shared memory only: steps, of which it draws blocks from the board. */
  | {
      type: 'run';
      job: number;
      steps: readonly JobStep[];
      scratch: ScratchArea;
      top: number;
      board: Int32Array;
    }
  /** Unshared memory only: one block. */
  | { type: 'block'; job: number; step: JobStep; block: number; scratch: ScratchArea; top: number }
  /** News of tensors, and then a message, if there is one. */
  | { type: 'news'; news: TensorNews; next: ToWorker | null };

/** What has become of tensors; numbers of them never come again. */
export interface TensorNews {
  /** Number and address of each that was made in the kernels' memory. */
  readonly made: readonly number[];
  readonly freed: readonly number[];
  /** Of others, before those that were freed. */
  readonly others: readonly ToWorker[];
}

/** From a worker to the device. */
export type FromWorker =
  | { type: 'started' }
  /** `complete`: it ran the last block of a job that was not stopped; nobody runs any more. */
  | { type: 'done'; job: number; complete: boolean }
  | { type: 'data'; request: number; data: CpuArray }
  /**
   * A job or the request of that number failed; `code` and `where` of a `LemurError`, null for any
   * other.
   */
  | {
      type: 'failed';
      job: number;
      message: string;
      stack: string;
      code: 'bad-file' | null;
      where: string;
    };
