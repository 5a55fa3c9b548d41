import { wholePanels } from '../../../kernels/kernels.js';
import type { Tensor } from '../../memory.js';
import type { Context, Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';
import { sampleTargets } from './sample-targets.js';
import { CHUNK, type FeatureCodes, type WeightsArgs, type WeightsBlock } from './weights-args.js';

/** Largest code of features and targets: the sum of 512 products fits int32. */
const LIMIT = 2047;

/** How many codes and factors `packFeatures` writes. */
export function featureCodesSize(
  rows: number,
  latentDim: number,
): Record<'codes' | 'factors', number> {
  const factors = Math.ceil(rows / CHUNK) * wholePanels(latentDim);
  return { codes: factors * CHUNK, factors };
}

/** Codes of z (rows x n), a chunk a block; columns of a chunk have a factor each. */
export const packFeatures: Operation<{
  z: Tensor<'f32'>;
  rows: number;
  n: number;
  out: FeatureCodes;
}> = {
  blocks: ({ rows }) => Math.ceil(rows / CHUNK),
  scratchBytes: ({ n }) => SCRATCH_SLACK + CHUNK * (8 * wholePanels(n) + 4) + 4 * n,
  run(context, { z, rows, n, out }, block) {
    const { kernels } = context;
    const from = block * CHUNK;
    const used = Math.min(CHUNK, rows - from);
    const even = evenUp(used);
    const ones = onesOf(context, used);
    const codes = context.scratch(n * even * 2);
    const factors = context.scratch(n * 4);
    const chunk = context.stage(z, from * n, (from + used) * n);
    kernels.quantizeColumnsI16(chunk, used, n, n, ones, LIMIT, codes, factors);
    const length = wholePanels(n) * even;
    const panels = context.scratch(length * 2);
    kernels.packPanelsI16(codes, n, even, panels);
    context.view(out.codes).set(context.at('i16', panels, length), block * CHUNK * wholePanels(n));
    context.view(out.factors).set(context.at('f32', factors, n), block * wholePanels(n));
  },
};

/** Bytes of scratch of `addCodeProducts` for `documents` documents. */
export function codeProductScratch(latentDim: number, documents: number): number {
  const panels = 2 * CHUNK * wholePanels(latentDim) + 4 * wholePanels(latentDim);
  const y = documents * (CHUNK * (4 + 2) + 4) + 4 * CHUNK;
  return panels + y + documents * latentDim * (4 + 8) + 128 + 1024;
}

/** sums += Z^T Y in codes of both, exact within a chunk of the sample, float64 across them. */
export function addCodeProducts(
  context: Context,
  args: WeightsArgs,
  features: FeatureCodes,
  block: WeightsBlock,
): void {
  const { rows, latentDim } = args;
  const { count, columns } = block;
  const { kernels } = context;
  const n = wholePanels(latentDim);
  const y = context.scratch(CHUNK * columns * 4);
  const codes = context.scratch(count * CHUNK * 2);
  const scales = context.scratch(count * 4);
  const products = context.scratch(count * latentDim * 4);
  const rowSums = context.scratch(count * latentDim * 8);
  const ones = onesOf(context, CHUNK);
  const tileSums = context.scratch(128);
  context.at('f64', rowSums, count * latentDim).fill(0);
  for (let from = 0; from < rows; from += CHUNK) {
    const mark = context.mark();
    const used = Math.min(CHUNK, rows - from);
    const even = evenUp(used);
    sampleTargets(context, args, block, from, used, y);
    context.rewind(mark);
    kernels.quantizeColumnsI16(y, used, count, columns, ones, LIMIT, codes, scales);
    const panels = context.stage(features.codes, from * n, from * n + even * n);
    const chunk = (from / CHUNK) * n;
    const factors = context.stage(features.factors, chunk, chunk + n);
    kernels.gemmI16(
      count,
      latentDim,
      even,
      codes,
      scales,
      panels,
      factors,
      products,
      latentDim,
      tileSums,
    );
    kernels.addToF64(rowSums, products, count * latentDim);
    context.rewind(mark);
  }
  const from = context.at('f64', rowSums, count * latentDim);
  const to = context.at('f64', block.sums, latentDim * columns);
  for (let d = 0; d < count; d++)
    for (let k = 0; k < latentDim; k++) to[k * columns + d] = from[d * latentDim + k];
}

function onesOf(context: Context, count: number): number {
  const ones = context.scratch(count * 4);
  context.at('f32', ones, count).fill(1);
  return ones;
}

function evenUp(n: number): number {
  return n + (n & 1);
}
