import type { Tensor, TypedArray } from '../device.js';

/** From the device to a worker. */
export type ToWorker =
  /** First message. Without a module the plain kernels; `memory` is shared, or null: the worker makes its own. */
  | { type: 'start'; module: WebAssembly.Module | null; memory: WebAssembly.Memory | null }
  /** A tensor at an address of the kernels' memory, or in a buffer of its own; `zero`: the worker clears it. */
  | { type: 'tensor'; tensor: Tensor; address: number; buffer: ArrayBufferLike | null; top: number; zero: boolean }
  | { type: 'free'; id: number }
  /** Unshared memory only: values out and in. */
  | { type: 'read'; request: number; tensor: Tensor; from: number; to: number }
  | { type: 'write'; tensor: Tensor; at: number; data: TypedArray }
  /** Blocks `from` to `to`, or, with a `counter`, whichever numbers it gives below `to`. */
  | {
      type: 'run';
      job: number;
      operation: string;
      args: unknown;
      scratch: number;
      top: number;
      counter: Int32Array | null;
      from: number;
      to: number;
    };

/** From a worker to the device. */
export type FromWorker =
  | { type: 'started' }
  | { type: 'done'; job: number }
  | { type: 'data'; request: number; data: TypedArray }
  | { type: 'failed'; job: number; message: string; stack: string };
