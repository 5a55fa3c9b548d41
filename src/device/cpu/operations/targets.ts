import type { DeviceTokens, Tensor } from '../../device.js';
import type { Operation } from '../operation.js';
import { SCRATCH_SLACK } from '../operation.js';
import { largestProducts, packLanes, productScratch } from './largest-products.js';

/** Learn tokens of a block. */
const ROWS = 256;

/**
 * out (rows x documents) = largest inner product of each row of x with each document: g_C(x) of the
 * paper, over the document's scale where it has one. partials gets, by block, the sum and the sum
 * of squares of what was written.
 */
export const targets: Operation<{
  x: Tensor<'f32'>;
  rows: number;
  documents: DeviceTokens;
  select: Tensor<'i32'> | null;
  scales: Tensor<'f32'> | null;
  out: Tensor<'f32'>;
  partials: Tensor<'f64'>;
}> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes({ documents, select }) {
    const columns = select ? select.length : documents.documents;
    return SCRATCH_SLACK + productScratch(documents, ROWS) + ROWS * 4 * (documents.dim + columns);
  },
  run(context, { x, rows, documents, select, scales, out, partials }, block) {
    const { dim } = documents;
    const columns = select ? select.length : documents.documents;
    const from = block * ROWS;
    const count = Math.min(ROWS, rows - from);
    const lanes = packLanes(
      context,
      documents,
      context.stage(x, from * dim, (from + count) * dim),
      count,
    );
    const result = context.scratch(count * columns * 4);
    largestProducts(
      context,
      documents,
      lanes,
      select && context.view(select),
      0,
      columns,
      result,
      columns,
    );
    const values = context.at('f32', result, count * columns);
    if (scales) {
      const divisors = context.view(scales);
      for (let i = 0; i < values.length; i++) values[i] /= divisors[i % columns];
    }
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
