import type { Kernels } from '../../../kernels/kernels.js';
import type { CpuArrayOf, CpuDType, CpuTensor } from '../cpu-tensor.js';

/**
 * What a block of work sees: the kernels, the tensors, and scratch that is its own until it
 * returns.
 */
export interface Context {
  readonly kernels: Kernels;
  /** All values of a tensor that is in memory and has no parts. */
  view<D extends CpuDType>(tensor: CpuTensor<D>): CpuArrayOf<D>;
  /**
   * Address of values `from` to `to` (default: all) where they lie together in the kernels' memory,
   * those of files that are cached there included; -1 where they do not.
   */
  address(tensor: CpuTensor, from?: number, to?: number): number;
  /**
   * Address of values `from` to `to`: where they live, or copied into scratch. For reading. Raises
   * 'bad-file'.
   */
  stage(tensor: CpuTensor, from: number, to: number): number;
  /** Copies values `from` to `to` to an address, wherever they are. Raises 'bad-file'. */
  load(tensor: CpuTensor, from: number, to: number, address: number): void;
  /**
   * Name of the first file that some of the values `from` to `to` lie in; null where all are in
   * memory.
   */
  file(tensor: CpuTensor, from: number, to: number): string | null;
  /**
   * Caches whole rows of a file that were copied to `address` and are what was stored; does nothing
   * where their tensor has no cache.
   */
  cache(tensor: CpuTensor, from: number, to: number, address: number): void;
  /** CRC-32 of `bytes` bytes, as int32. Where there are files only. */
  crc32(address: number, bytes: number): number;
  /** `bytes` of scratch, content undefined. */
  scratch(bytes: number): number;
  /** Typed view of `length` values of the kernels' memory. */
  at<D extends CpuDType>(dtype: D, address: number, length: number): CpuArrayOf<D>;
  /** Marks the scratch in use now; `rewind` gives back what was taken since. */
  mark(): number;
  rewind(mark: number): void;
}

/**
 * A computation cut into blocks that may run in any order on any worker, each writing its own part
 * of the output.
 */
export interface Operation<A> {
  blocks(args: A): number;
  /** Most bytes of scratch that a block takes. */
  scratchBytes(args: A): number;
  run(context: Context, args: A, block: number): void;
}

/** Bytes that rounding up and alignment may add to a few scratch requests. */
export const SCRATCH_SLACK = 4096;
