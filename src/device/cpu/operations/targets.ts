import { wholePanels } from '../../../kernels/kernels.js';
import type { DeviceTokens, Tensor } from '../../device.js';
import type { Operation } from '../operation.js';
import { SCRATCH_SLACK } from '../operation.js';
import { forEachTile, tileScratch } from './document-tiles.js';

/** Learn tokens of a block. */
const ROWS = 256;

/**
 * out (rows x documents) = largest inner product of each row of x with each document: g_C(x) of the paper.
 * partials gets, by block, the sum and the sum of squares of what was written.
 */
export const targets: Operation<{
  x: Tensor<'f32'>;
  rows: number;
  documents: DeviceTokens;
  select: Tensor<'i32'> | null;
  out: Tensor<'f32'>;
  partials: Tensor<'f64'>;
}> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes({ documents, select }) {
    const columns = select ? select.length : documents.documents;
    return SCRATCH_SLACK + tileScratch(documents, 4) + ROWS * 4 * (2 * documents.dim + columns);
  },
  run(context, { x, rows, documents, select, out, partials }, block) {
    const { dim } = documents;
    const columns = select ? select.length : documents.documents;
    const from = block * ROWS;
    const count = Math.min(ROWS, rows - from);
    const panels = context.scratch(wholePanels(count) * dim * 4);
    context.kernels.packLanesF32(context.stage(x, from * dim, (from + count) * dim), count, dim, panels);
    const result = context.scratch(count * columns * 4);
    forEachTile(context, documents, select && context.view(select), 0, columns, (tile) => {
      context.kernels.maxDotsF32(panels, count, dim, tile.tokens, tile.counts, tile.documents, result + tile.first * 4, columns);
    });
    const values = context.at('f32', result, count * columns);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      sum += values[i];
      squares += values[i] * values[i];
    }
    context.view(out).set(values, from * columns);
    context.view(partials).set([sum, squares], 2 * block);
  },
};
