import type { Tensor } from '../../device.js';
import type { Operation } from '../operation.js';
import { SCRATCH_SLACK } from '../operation.js';
import { gemmScratch } from './forward.js';

/** Rows of a block. */
const ROWS = 64;

export interface InnerProductsArgs {
  /** rows x dim. */
  a: Tensor<'f32'>;
  rows: number;
  /** columns x dim. */
  b: Tensor<'f32'>;
  columns: number;
  dim: number;
  /** rows x columns. */
  out: Tensor<'f32'>;
}

/** out = A B^T, 64 rows of A a block. */
export const innerProducts: Operation<InnerProductsArgs> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes: ({ columns, dim }) => SCRATCH_SLACK + 4 * (gemmScratch(ROWS) + ROWS * (dim + columns) + columns * dim),
  run(context, { a, rows, b, columns, dim, out }, block) {
    const first = block * ROWS;
    const count = Math.min(ROWS, rows - first);
    const left = context.stage(a, first * dim, (first + count) * dim);
    const right = context.stage(b, 0, columns * dim);
    const product = context.scratch(count * columns * 4);
    const scratch = context.scratch(gemmScratch(count) * 4);
    context.kernels.gemmF32(count, columns, dim, left, dim, 1, right, 1, dim, product, columns, 0, scratch);
    context.view(out).set(context.at('f32', product, count * columns), first * columns);
  },
};
