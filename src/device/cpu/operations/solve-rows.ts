import { LANES, wholePanels } from '../../../kernels/kernels.js';
import type { Tensor } from '../../memory.js';
import type { CpuTensor } from '../cpu-tensor.js';
import { type Operation, SCRATCH_SLACK } from './operation.js';

/** Rows of a block. */
const ROWS = 64;

export interface SolveRowsArgs {
  /** L, n x n. */
  factor: CpuTensor<'f64'>;
  n: number;
  rows: number;
  /** rows x n. */
  b: Tensor<'f32'>;
  /** rows x n. */
  out: Tensor<'f32'>;
}

/** out = (L L^T)^-1 b for each row b in float64, 64 rows a block. */
export const solveRows: Operation<SolveRowsArgs> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes: ({ n }) => SCRATCH_SLACK + 8 * (n * ROWS + n * n) + 4 * n * ROWS,
  run(context, { factor, n, rows, b, out }, block) {
    const first = block * ROWS;
    const count = Math.min(ROWS, rows - first);
    const columns = wholePanels(count);
    const sums = context.scratch(n * columns * 8);
    const solution = context.at('f64', sums, n * columns).fill(0);
    const given = context.at('f32', context.stage(b, first * n, (first + count) * n), count * n);
    for (let r = 0; r < count; r++)
      for (let k = 0; k < n; k++) solution[k * columns + r] = given[r * n + k];
    const l = context.stage(factor, 0, n * n);
    for (let lane = 0; lane < columns; lane += LANES)
      context.kernels.choleskySolve16(l, n, sums + lane * 8, columns);
    const solved = context.view(out);
    for (let r = 0; r < count; r++)
      for (let k = 0; k < n; k++) solved[(first + r) * n + k] = solution[k * columns + r];
  },
};
