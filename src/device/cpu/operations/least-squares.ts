import { LANES, wholePanels } from '../../../kernels/kernels.js';
import type { DocumentWeightsArgs } from '../../learner.js';
import type { Tensor } from '../../memory.js';
import type { CpuTensor } from '../cpu-tensor.js';
import { gemmScratch } from './forward.js';
import { largestProducts, packLanes, productScratch } from './largest-products.js';
import type { Context, Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';

/** Sample rows that are summed in one go; sums run over chunks in order. */
const CHUNK = 256;
/** Side of a square of the Gram matrix. */
const SQUARE = 128;
/** Documents of a block of weights. */
const DOCUMENTS = 64;

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

/** `DocumentWeightsArgs` with the factor where it lies. */
export interface WeightsArgs extends Omit<DocumentWeightsArgs, 'factor'> {
  factor: CpuTensor<'f64'>;
  latentDim: number;
}

/**
 * out (documents x d'): least squares of each document's standardised targets y at the sample x on
 * Z = psi(x), 64 documents a block: for chunk after chunk of the sample the targets, then Z^T y, in
 * float32 within a chunk and float64 across them; at the end (L L^T)^-1 of it.
 */
export const documentWeights: Operation<WeightsArgs> = {
  blocks: ({ documents }) => Math.ceil(documents.documentCount / DOCUMENTS),
  scratchBytes({ documents, latentDim }) {
    const floats =
      CHUNK * (documents.dim + DOCUMENTS + latentDim) +
      2 * latentDim * DOCUMENTS +
      gemmScratch(latentDim);
    const doubles = latentDim * DOCUMENTS + latentDim * latentDim;
    return SCRATCH_SLACK + productScratch(documents, CHUNK) + 4 * floats + 8 * doubles;
  },
  run(context, args, block) {
    const { factor, latentDim, documents, out } = args;
    const first = block * DOCUMENTS;
    const count = Math.min(DOCUMENTS, documents.documentCount - first);
    const columns = wholePanels(count);
    const sums = context.scratch(latentDim * columns * 8);
    const solution = context.at('f64', sums, latentDim * columns).fill(0);
    accumulate(context, args, first, count, columns, sums);
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

/**
 * sums (d' x columns) += Z^T Y for documents first .. first + count, chunk after chunk of the
 * sample.
 */
function accumulate(
  context: Context,
  args: WeightsArgs,
  first: number,
  count: number,
  columns: number,
  sums: number,
): void {
  const { x, z, rows, latentDim, documents, mean, std } = args;
  const { dim } = documents;
  const { kernels } = context;
  const scratch = context.scratch(gemmScratch(latentDim) * 4);
  const products = context.scratch(latentDim * columns * 4);
  // columns beyond the documents stay zero
  context.at('f32', products, latentDim * columns).fill(0);
  const y = context.scratch(CHUNK * columns * 4);
  for (let from = 0; from < rows; from += CHUNK) {
    const mark = context.mark();
    const used = Math.min(CHUNK, rows - from);
    const lanes = packLanes(
      context,
      documents,
      context.stage(x, from * dim, (from + used) * dim),
      used,
    );
    largestProducts(context, documents, lanes, null, first, first + count, y, columns);
    kernels.standardise(y, used * columns, mean, 1 / std);
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
