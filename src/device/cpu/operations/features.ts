import { rowLength } from '../../../tokens/lengths.js';
import type { DeviceFeatureMap } from '../../device-feature-map.js';
import type { DeviceTokens } from '../../device-tokens.js';
import type { Tensor } from '../../memory.js';
import { forward, forwardScratch, gemmScratch } from './forward.js';
import type { Context, Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';

const ROWS = 128;

/** out (rows x d') = psi(x), 128 rows a block. */
export const features: Operation<{
  featureMap: DeviceFeatureMap;
  x: Tensor<'f32'>;
  rows: number;
  out: Tensor<'f32'>;
}> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes: ({ featureMap }) =>
    SCRATCH_SLACK +
    forwardScratch(featureMap.layout, ROWS) +
    ROWS * featureMap.layout.inputDim * 4 +
    featureMap.layout.parameterCount * 4,
  run(context, { featureMap, x, rows, out }, block) {
    const { layout } = featureMap;
    const from = block * ROWS;
    const count = Math.min(ROWS, rows - from);
    const parameters = context.stage(featureMap.parameters, 0, layout.parameterCount);
    const input = context.stage(x, from * layout.inputDim, (from + count) * layout.inputDim);
    const z = forward(context, layout, parameters, input, count);
    context.view(out).set(context.at('f32', z, count * layout.latentDim), from * layout.latentDim);
  },
};

export interface QueryFeaturesArgs {
  featureMap: DeviceFeatureMap;
  queries: DeviceTokens;
  out: Tensor<'f32'>;
}

/** Queries that share a block: as many as have `ROWS` tokens; weights are packed once for all. */
function queriesAtOnce({ longest }: DeviceTokens): number {
  return Math.max(1, Math.floor(ROWS / Math.max(1, longest)));
}

/** out (queries x d'): sum of psi over each query's tokens, some queries a block. */
export const queryFeatures: Operation<QueryFeaturesArgs> = {
  blocks: ({ queries }) => Math.ceil(queries.documentCount / queriesAtOnce(queries)),
  scratchBytes: ({ featureMap }) => psiScratch(featureMap, ROWS) + 4 * featureMap.layout.latentDim,
  run(context, { featureMap, queries, out }, block) {
    const { latentDim, parameterCount } = featureMap.layout;
    const parameters = context.stage(featureMap.parameters, 0, parameterCount);
    const sum = context.scratch(latentDim * 4);
    const offsets = context.view(queries.offsets);
    const result = context.view(out);
    const first = block * queriesAtOnce(queries);
    const last = Math.min(first + queriesAtOnce(queries), queries.documentCount);
    context.at('f32', sum, latentDim).fill(0);
    for (let from = offsets[first], query = first; query < last; ) {
      const mark = context.mark();
      const to = Math.min(from + ROWS, offsets[last]);
      const z = psi(context, featureMap, queries, parameters, from, to - from);
      for (let row = from; query < last; query++) {
        const end = Math.min(to, offsets[query + 1]);
        context.kernels.sumRows(
          z + (row - from) * latentDim * 4,
          end - row,
          latentDim,
          latentDim,
          1,
          sum,
        );
        row = end;
        if (end < offsets[query + 1]) break;
        result.set(context.at('f32', sum, latentDim), query * latentDim);
        context.at('f32', sum, latentDim).fill(0);
      }
      context.rewind(mark);
      from = to;
    }
  },
};

export interface TokenProductsArgs extends QueryFeaturesArgs {
  /** Tokens of all queries. */
  tokens: number;
  /** Outputs of the first layer that are computed in a block, a multiple of 16. */
  columns: number;
  /** tokens x outputs of the first layer. */
  out: Tensor<'f32'>;
}

/**
 * Products of all tokens with the weights of the first layer, `columns` of them a block: most of
 * the work for a few tokens is to pack the weights, which blocks share so.
 */
export const tokenProducts: Operation<TokenProductsArgs> = {
  blocks: ({ featureMap, columns }) => Math.ceil(featureMap.layout.layers[0].outputs / columns),
  scratchBytes: ({ featureMap, tokens, columns }) =>
    psiScratch(featureMap, tokens) + 4 * tokens * columns,
  run(context, { featureMap, queries, tokens, columns, out }, block) {
    const { layers, parameterCount } = featureMap.layout;
    const { inputs, outputs, weight } = layers[0];
    const parameters = context.stage(featureMap.parameters, 0, parameterCount);
    const { input } = inputOf(context, featureMap, queries, 0, tokens);
    const first = block * columns;
    const some = Math.min(columns, outputs - first);
    const product = context.scratch(tokens * some * 4);
    context.kernels.gemmF32(
      tokens,
      some,
      inputs,
      input,
      inputs,
      1,
      parameters + (weight + first * inputs) * 4,
      1,
      inputs,
      product,
      some,
      0,
      context.scratch(gemmScratch(tokens) * 4),
    );
    const [values, result] = [context.at('f32', product, tokens * some), context.view(out)];
    for (let row = 0; row < tokens; row++)
      result.set(values.subarray(row * some, (row + 1) * some), row * outputs + first);
  },
};

export interface TokenFeaturesArgs extends QueryFeaturesArgs {
  /** Tokens of all queries. */
  tokens: number;
  /** Tokens of a block. */
  rows: number;
  /** What `tokenProducts` has computed. */
  products: Tensor<'f32'>;
  /** tokens x d'. */
  out: Tensor<'f32'>;
}

/** out (tokens x d') = psi of each token: for fewer queries than keep all workers busy. */
export const tokenFeatures: Operation<TokenFeaturesArgs> = {
  blocks: ({ tokens, rows }) => Math.ceil(tokens / rows),
  scratchBytes: ({ featureMap, rows }) =>
    psiScratch(featureMap, rows) + 4 * rows * featureMap.layout.layers[0].outputs,
  run(context, { featureMap, queries, tokens, rows, products, out }, block) {
    const { layers, latentDim, parameterCount } = featureMap.layout;
    const parameters = context.stage(featureMap.parameters, 0, parameterCount);
    const from = block * rows;
    const count = Math.min(rows, tokens - from);
    const { outputs } = layers[0];
    const product = context.stage(products, from * outputs, (from + count) * outputs);
    const z = psi(context, featureMap, queries, parameters, from, count, product);
    context.view(out).set(context.at('f32', z, count * latentDim), from * latentDim);
  },
};

/** Bytes of scratch of `psi` and of the parameters. */
function psiScratch({ layout }: DeviceFeatureMap, rows: number): number {
  const { inputDim, parameterCount } = layout;
  return SCRATCH_SLACK + forwardScratch(layout, rows) + 4 * (2 * rows * inputDim + parameterCount);
}

/**
 * Address of psi of tokens from .. from + count, count x d', times the lengths that they have.
 * `product` as `forward` takes it.
 */
function psi(
  context: Context,
  featureMap: DeviceFeatureMap,
  queries: DeviceTokens,
  parameters: number,
  from: number,
  count: number,
  product = 0,
): number {
  const { layout } = featureMap;
  const { latentDim } = layout;
  const { input, lengths } = inputOf(context, featureMap, queries, from, count);
  const z = forward(context, layout, parameters, input, count, product);
  if (lengths) {
    const rows = context.at('f32', z, count * latentDim);
    for (let i = 0; i < rows.length; i++) rows[i] *= lengths[Math.floor(i / latentDim)];
  }
  return z;
}

/** Address of the rows that the network gets for tokens from .. from + count, and their lengths. */
function inputOf(
  context: Context,
  { layout: { inputDim }, unit }: DeviceFeatureMap,
  queries: DeviceTokens,
  from: number,
  count: number,
): { input: number; lengths: Float64Array | null } {
  const given = context.stage(queries.vectors, from * inputDim, (from + count) * inputDim);
  return unit ? toUnit(context, given, count, inputDim) : { input: given, lengths: null };
}

/**
 * Address of the rows brought to length 1, and the lengths that they had; those of length 1 already
 * are used as they lie.
 */
function toUnit(
  context: Context,
  given: number,
  count: number,
  dim: number,
): { input: number; lengths: Float64Array | null } {
  const rows = context.at('f32', given, count * dim);
  const lengths = Float64Array.from({ length: count }, (_, row) => rowLength(rows, row * dim, dim));
  if (lengths.every((length) => length === 1)) return { input: given, lengths: null };
  const input = context.scratch(count * dim * 4);
  const out = context.at('f32', input, count * dim);
  for (let i = 0; i < out.length; i++) out[i] = rows[i] / (lengths[Math.floor(i / dim)] || 1);
  return { input, lengths };
}
