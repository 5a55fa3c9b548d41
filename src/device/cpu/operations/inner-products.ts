import type { Tensor } from '../../memory.js';
import type { Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';

/** Rows of A of a block. */
const ROWS = 64;
/** Rows of B that stay in the cache while those pass. */
const TILE_ROWS = 64;

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

/**
 * out = A B^T, 64 rows of A a block. A product is the same whatever rows are beside it; a single
 * row costs no packing.
 */
export const innerProducts: Operation<InnerProductsArgs> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes: ({ columns, dim }) =>
    SCRATCH_SLACK + 4 * (ROWS * (dim + columns) + TILE_ROWS * dim),
  run(context, { a, rows, b, columns, dim, out }, block) {
    const first = block * ROWS;
    const count = Math.min(ROWS, rows - first);
    const left = context.stage(a, first * dim, (first + count) * dim);
    const product = context.scratch(count * columns * 4);
    for (let tile = 0; tile < columns; tile += TILE_ROWS) {
      const mark = context.mark();
      const height = Math.min(TILE_ROWS, columns - tile);
      const right = context.stage(b, tile * dim, (tile + height) * dim);
      for (let i = 0; i < count; i++)
        context.kernels.scanF32(
          left + i * dim * 4,
          right,
          height,
          dim,
          product + (i * columns + tile) * 4,
        );
      context.rewind(mark);
    }
    context.view(out).set(context.at('f32', product, count * columns), first * columns);
  },
};
