import type { Kernels } from '../../kernels/kernels.js';
import type { DType, Tensor, TypedArrayOf } from '../device.js';

/** What a block of work sees: the kernels, the tensors, and scratch that is its own until it returns. */
export interface Context {
  readonly kernels: Kernels;
  /** All values of a tensor, wherever it lives. */
  view<D extends DType>(tensor: Tensor<D>): TypedArrayOf<D>;
  /** Address of value `from` of a tensor that lives in the kernels' memory; -1 for one that lives outside. */
  address(tensor: Tensor, from?: number): number;
  /** Address of values `from` to `to`: where they live, or copied into scratch. For reading. */
  stage(tensor: Tensor, from: number, to: number): number;
  /** `bytes` of scratch, content undefined. */
  scratch(bytes: number): number;
  /** Typed view of `length` values of the kernels' memory. */
  at<D extends DType>(dtype: D, address: number, length: number): TypedArrayOf<D>;
  /** Marks the scratch in use now; `rewind` gives back what was taken since. */
  mark(): number;
  rewind(mark: number): void;
}

/** A computation cut into blocks that may run in any order on any worker, each writing its own part of the output. */
export interface Operation<A> {
  blocks(args: A): number;
  /** Most bytes of scratch that a block takes. */
  scratchBytes(args: A): number;
  run(context: Context, args: A, block: number): void;
}

/** Bytes that rounding up and alignment may add to a few scratch requests. */
export const SCRATCH_SLACK = 4096;
