import type { DType } from '../memory.js';

/** How the CPU keeps values: as callers do, and as sums and codes of its own. */
export type CpuDType = DType | 'f64' | 'i16';
export type CpuArrayOf<D extends CpuDType> = {
  f32: Float32Array;
  f64: Float64Array;
  i32: Int32Array;
  i16: Int16Array;
  i8: Int8Array;
}[D];
export type CpuArray = CpuArrayOf<CpuDType>;

/** A tensor, or one of those that only the CPU has. */
export interface CpuTensor<D extends CpuDType = CpuDType> {
  readonly id: number;
  readonly dtype: D;
  readonly length: number;
}
