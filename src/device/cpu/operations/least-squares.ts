import type { Tensor } from '../../memory.js';
import type { CpuTensor } from '../cpu-tensor.js';
import type { Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';

/** Sample rows that are summed in one go; sums run over chunks in order. */
const CHUNK = 256;
/** Side of a square of the Gram matrix. */
const SQUARE = 128;

/** Floating-point doubles of scratch of the float64 outer product with m columns on the left. */
function outerScratch(m: number): number {
  return (m + 10) * 128;
}

/** out (n x n, lower squares) = Z^T Z in float64, one square of 128 x 128 a block. */
export const gram: Operation<{ z: Tensor<'f32'>; rows: number; n: number; out: CpuTensor<'f64'> }> =
  {
    blocks({ n }) {
      const side = Math.ceil(n / SQUARE);
      return (side * (side + 1)) / 2;
    },
    scratchBytes: ({ n }) =>
      SCRATCH_SLACK + CHUNK * n * 4 + 8 * (SQUARE * SQUARE + outerScratch(SQUARE)),
    run(context, { z, rows, n, out }, block) {
      // square (i, j) of the lower triangle, row by row
      const i = Math.floor((Math.sqrt(8 * block + 1) - 1) / 2);
      const j = block - (i * (i + 1)) / 2;
      const height = Math.min(SQUARE, n - i * SQUARE);
      const width = Math.min(SQUARE, n - j * SQUARE);
      const sums = context.scratch(height * width * 8);
      const scratch = context.scratch(outerScratch(height) * 8);
      context.at('f64', sums, height * width).fill(0);
      for (let from = 0; from < rows; from += CHUNK) {
        const mark = context.mark();
        const count = Math.min(CHUNK, rows - from);
        const chunk = context.stage(z, from * n, (from + count) * n);
        context.kernels.outerF64(
          height,
          width,
          count,
          chunk + i * SQUARE * 4,
          n,
          chunk + j * SQUARE * 4,
          n,
          sums,
          width,
          scratch,
        );
        context.rewind(mark);
      }
      const target = context.view(out);
      for (let row = 0; row < height; row++) {
        target.set(
          context.at('f64', sums + row * width * 8, width),
          (i * SQUARE + row) * n + j * SQUARE,
        );
      }
    },
  };

/**
 * The Cholesky factor in place, on one worker; result[0] is the smallest ratio of a pivot to its
 * diagonal element.
 */
export const cholesky: Operation<{ a: CpuTensor<'f64'>; n: number; result: CpuTensor<'f64'> }> = {
  blocks: () => 1,
  scratchBytes: ({ n }) => SCRATCH_SLACK + n * n * 8,
  run(context, { a, n, result }) {
    const resident = context.address(a);
    const address = context.stage(a, 0, n * n);
    context.view(result)[0] = context.kernels.choleskyF64(address, n);
    if (resident < 0) context.view(a).set(context.at('f64', address, n * n));
  },
};
