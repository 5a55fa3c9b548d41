import type { DeviceTokens } from '../../device-tokens.js';
import type { Tensor } from '../../memory.js';
import type { CpuTensor } from '../cpu-tensor.js';
import { largestProducts, packLanes, productScratch } from './largest-products.js';
import type { Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';

/** Learn tokens of a block. */
const ROWS = 256;

/**
 * out (rows x documents) = largest inner product of each row of x with each document: g_C(x) of the
 * paper, over the document's divisor where it has one. partials gets, by block, the sum and the sum
 * of squares of what was written.
 */
export const targets: Operation<{
  x: Tensor<'f32'>;
  rows: number;
  documents: DeviceTokens;
  select: Tensor<'i32'> | null;
  divisors: Tensor<'f32'> | null;
  out: Tensor<'f32'>;
  partials: CpuTensor<'f64'>;
}> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes({ documents, select }) {
    const columns = select ? select.length : documents.documentCount;
    return SCRATCH_SLACK + productScratch(documents, ROWS) + ROWS * 4 * (documents.dim + columns);
  },
  run(context, { x, rows, documents, select, divisors, out, partials }, block) {
    const { dim } = documents;
    const columns = select ? select.length : documents.documentCount;
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
    if (divisors) {
      const each = context.view(divisors);
      for (let i = 0; i < values.length; i++) values[i] /= each[i % columns];
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
