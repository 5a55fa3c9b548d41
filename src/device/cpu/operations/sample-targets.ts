import { largestProducts, packLanes, productScratch } from './largest-products.js';
import { hasNearProducts, nearProducts, nearScratch, packNearLanes } from './near-products.js';
import type { Context } from './operation.js';
import { CHUNK, type WeightsArgs, type WeightsBlock } from './weights-args.js';

/** Bytes of scratch of `sampleTargets`. */
export function targetScratch(args: WeightsArgs): number {
  const { documents } = args;
  const products = isNear(args) ? nearScratch(documents) : productScratch(documents, CHUNK);
  return products + 4 * CHUNK * documents.dim;
}

/**
 * y (used x columns) = standardised targets of a block's documents at `used` rows of the sample
 * from `from` on; in grouped samples by the tokens that are nearest to each group.
 */
export function sampleTargets(
  context: Context,
  args: WeightsArgs,
  { first, count, columns }: WeightsBlock,
  from: number,
  used: number,
  y: number,
): void {
  const { documents, x, mean, std } = args;
  const { dim } = documents;
  const rows = context.stage(x, from * dim, (from + used) * dim);
  if (isNear(args)) {
    const lanes = packNearLanes(context, documents, rows, used);
    nearProducts(context, documents, lanes, first, first + count, y, columns);
  } else {
    const lanes = packLanes(context, documents, rows, used);
    largestProducts(context, documents, lanes, null, first, first + count, y, columns);
  }
  context.kernels.standardise(y, used * columns, mean, 1 / std);
}

function isNear({ grouped, documents }: WeightsArgs): boolean {
  return grouped === true && hasNearProducts(documents);
}
