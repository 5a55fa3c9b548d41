import type { CpuArrayOf, CpuDType } from './cpu-tensor.js';

const VIEWS = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  i16: Int16Array,
  i8: Int8Array,
};
const BYTES = { f32: 4, f64: 8, i32: 4, i16: 2, i8: 1 };

/** A view of `length` values at byte `at` of a buffer. */
export function typedView<D extends CpuDType>(
  dtype: D,
  buffer: ArrayBufferLike,
  at: number,
  length: number,
): CpuArrayOf<D> {
  return new VIEWS[dtype](buffer as ArrayBuffer, at, length) as CpuArrayOf<D>;
}

export function elementBytes(dtype: CpuDType): number {
  return BYTES[dtype];
}
