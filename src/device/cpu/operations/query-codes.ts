import type { Tensor } from '../../memory.js';
import type { Context } from './operation.js';

/**
 * Codes of float32 queries first .. first + count, `bytes` apart, and what each query's are worth.
 */
export function queryCodes(
  context: Context,
  queries: Tensor<'f32'>,
  first: number,
  count: number,
  dim: number,
): { codes: number; bytes: number; scales: number } {
  const bytes = 2 * (dim + (dim & 1));
  const codes = context.scratch(count * bytes);
  const scales = context.scratch(count * 4);
  const mark = context.mark();
  const q = context.stage(queries, first * dim, (first + count) * dim);
  // with int8 on the other side the sum must fit int32
  const limit = Math.min(4095, Math.floor((2 ** 31 - 1) / (127 * dim)));
  context.kernels.quantizeRowsI16(q, count, dim, limit, 0, codes, scales);
  context.rewind(mark);
  return { codes, bytes, scales };
}
