import { LANES, wholePanels } from '../../../kernels/kernels.js';
import { addCodeProducts, codeProductScratch } from './feature-codes.js';
import { gemmScratch } from './forward.js';
import type { Context, Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';
import { sampleTargets, targetScratch } from './sample-targets.js';
import { CHUNK, type WeightsArgs, type WeightsBlock } from './weights-args.js';

/** Documents of a block. */
const DOCUMENTS = 64;

/**
 * out (documents x d'): least squares of each document's standardised targets y at the sample x on
 * Z = psi(x), 64 documents a block: for chunk after chunk of the sample the targets, then Z^T y,
 * across chunks in float64; at the end (L L^T)^-1 of it.
 */
export const documentWeights: Operation<WeightsArgs> = {
  blocks: ({ documents }) => Math.ceil(documents.documentCount / DOCUMENTS),
  scratchBytes(args) {
    const { latentDim, features } = args;
    const doubles = latentDim * DOCUMENTS + latentDim * latentDim;
    const products = features
      ? codeProductScratch(latentDim, DOCUMENTS)
      : floatProductScratch(latentDim);
    return SCRATCH_SLACK + targetScratch(args) + products + 8 * doubles;
  },
  run(context, args, block) {
    const { factor, latentDim, documents, out, features } = args;
    const first = block * DOCUMENTS;
    const count = Math.min(DOCUMENTS, documents.documentCount - first);
    const columns = wholePanels(count);
    const sums = context.scratch(latentDim * columns * 8);
    const solution = context.at('f64', sums, latentDim * columns).fill(0);
    const start = context.mark();
    const sum = { first, count, columns, sums };
    if (features) addCodeProducts(context, args, features, sum);
    else addFloatProducts(context, args, sum);
    context.rewind(start);
    const l = context.stage(factor, 0, latentDim * latentDim);
    for (let lane = 0; lane < columns; lane += LANES)
      context.kernels.choleskySolve16(l, latentDim, sums + lane * 8, columns);
    const weights = context.view(out);
    for (let d = 0; d < count; d++) {
      const at = (first + d) * latentDim;
      for (let k = 0; k < latentDim; k++) weights[at + k] = solution[k * columns + d];
    }
  },
};

/** Bytes of scratch of `addFloatProducts`. */
function floatProductScratch(latentDim: number): number {
  const chunk = CHUNK * (DOCUMENTS + latentDim);
  return 4 * (chunk + latentDim * DOCUMENTS + gemmScratch(latentDim)) + 1024;
}

/** sums += Z^T Y, in float32 within a chunk of the sample and float64 across them. */
function addFloatProducts(context: Context, args: WeightsArgs, block: WeightsBlock): void {
  const { z, rows, latentDim } = args;
  const { count, columns, sums } = block;
  const { kernels } = context;
  const scratch = context.scratch(gemmScratch(latentDim) * 4);
  const products = context.scratch(latentDim * columns * 4);
  // columns beyond the documents stay zero
  context.at('f32', products, latentDim * columns).fill(0);
  const y = context.scratch(CHUNK * columns * 4);
  for (let from = 0; from < rows; from += CHUNK) {
    const mark = context.mark();
    const used = Math.min(CHUNK, rows - from);
    sampleTargets(context, args, block, from, used, y);
    const chunk = context.stage(z, from * latentDim, (from + used) * latentDim);
    kernels.gemmF32(
      latentDim,
      count,
      used,
      chunk,
      1,
      latentDim,
      y,
      columns,
      1,
      products,
      columns,
      0,
      scratch,
    );
    kernels.addToF64(sums, products, latentDim * columns);
    context.rewind(mark);
  }
}
