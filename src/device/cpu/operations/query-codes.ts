import { laneLimit } from '../../lane-limit.js';
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
  context.kernels.quantizeRowsI16(q, count, dim, laneLimit(dim), 0, codes, scales);
  context.rewind(mark);
  return { codes, bytes, scales };
}
