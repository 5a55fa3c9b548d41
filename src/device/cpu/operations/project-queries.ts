import type { DeviceTokens } from '../../device-tokens.js';
import type { Tensor } from '../../memory.js';
import type { Context, Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';

/** Tokens that are added up at a time, as `queryFeatures` does it. */
const ROWS = 128;

export interface ProjectQueriesArgs {
  queries: DeviceTokens;
  /** d'. */
  dim: number;
  /** tokens x d': psi of each; null: `features` has their sums. */
  z: Tensor<'f32'> | null;
  /** Queries x d': sums of z over the tokens of each query; written where there is z. */
  features: Tensor<'f32'>;
  /** prefixDim x d'. */
  projection: Tensor<'f32'>;
  prefixDim: number;
  /** Queries x prefixDim. */
  prefixes: Tensor<'f32'>;
  /** Values of a prefix that are computed in a block. */
  columns: number;
  /** d' each: with them `shifts` become <mean - base, q>; null: there are none. */
  means: { mean: Float32Array; base: Float32Array; shifts: Tensor<'f32'> } | null;
}

/** Features of queries from those of their tokens, and their prefixes, `columns` values a block. */
export const projectQueries: Operation<ProjectQueriesArgs> = {
  blocks: (args) => args.queries.documentCount * parts(args),
  scratchBytes: ({ dim, columns }) => SCRATCH_SLACK + 4 * (dim * (1 + columns) + columns),
  run(context, args, block) {
    const { dim, features, projection, prefixDim, prefixes, columns, means } = args;
    const query = Math.floor(block / parts(args));
    const part = block % parts(args);
    const q = args.z
      ? sumOfTokens(context, args, args.z, query)
      : context.stage(features, query * dim, (query + 1) * dim);
    if (part === 0) {
      const own = context.at('f32', q, dim);
      if (args.z) context.view(features).set(own, query * dim);
      if (means)
        context.view(means.shifts)[query] =
          productWith(own, means.mean) - productWith(own, means.base);
    }
    const first = part * columns;
    const count = Math.min(columns, prefixDim - first);
    const rows = context.stage(projection, first * dim, (first + count) * dim);
    const out = context.scratch(count * 4);
    context.kernels.scanF32(q, rows, count, dim, out);
    context.view(prefixes).set(context.at('f32', out, count), query * prefixDim + first);
  },
};

function parts({ prefixDim, columns }: ProjectQueriesArgs): number {
  return Math.ceil(prefixDim / columns);
}

/** Address of the sum of z over the tokens of a query, in scratch. */
function sumOfTokens(
  context: Context,
  { queries, dim }: ProjectQueriesArgs,
  z: Tensor<'f32'>,
  query: number,
): number {
  const offsets = context.view(queries.offsets);
  const sum = context.scratch(dim * 4);
  context.at('f32', sum, dim).fill(0);
  for (let from = offsets[query], end = offsets[query + 1]; from < end; from += ROWS) {
    const count = Math.min(ROWS, end - from);
    context.kernels.sumRows(context.address(z, from * dim), count, dim, dim, 1, sum);
  }
  return sum;
}

/** <q, row>, summed in float64. */
function productWith(q: Float32Array, row: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += row[j] * q[j];
  return sum;
}
