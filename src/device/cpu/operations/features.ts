import { rowLength } from '../../../tokens/lengths.js';
import type { DeviceFeatureMap } from '../../device-feature-map.js';
import type { DeviceTokens } from '../../device-tokens.js';
import type { Tensor } from '../../memory.js';
import { forward, forwardScratch } from './forward.js';
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

/** out (queries x d'): sum of psi over each query's tokens, a query a block. */
export const queryFeatures: Operation<{
  featureMap: DeviceFeatureMap;
  queries: DeviceTokens;
  out: Tensor<'f32'>;
}> = {
  blocks: ({ queries }) => queries.documentCount,
  scratchBytes({ featureMap, queries }) {
    const rows = Math.min(ROWS, queries.longest);
    const { latentDim, parameterCount, inputDim } = featureMap.layout;
    return (
      SCRATCH_SLACK +
      forwardScratch(featureMap.layout, rows) +
      4 * (2 * rows * inputDim + parameterCount + latentDim)
    );
  },
  run(context, { featureMap, queries, out }, query) {
    const { layout } = featureMap;
    const parameters = context.stage(featureMap.parameters, 0, layout.parameterCount);
    const sum = context.scratch(layout.latentDim * 4);
    const offsets = context.view(queries.offsets);
    const end = offsets[query + 1];
    context.at('f32', sum, layout.latentDim).fill(0);
    for (let from = offsets[query]; from < end; from += ROWS) {
      const mark = context.mark();
      addFeatures(context, featureMap, queries, parameters, from, Math.min(ROWS, end - from), sum);
      context.rewind(mark);
    }
    context.view(out).set(context.at('f32', sum, layout.latentDim), query * layout.latentDim);
  },
};

function addFeatures(
  context: Context,
  { layout, unit }: DeviceFeatureMap,
  queries: DeviceTokens,
  parameters: number,
  from: number,
  count: number,
  sum: number,
): void {
  const { inputDim, latentDim } = layout;
  const given = context.stage(queries.vectors, from * inputDim, (from + count) * inputDim);
  const { input, lengths } = unit
    ? toUnit(context, given, count, inputDim)
    : { input: given, lengths: null };
  const z = forward(context, layout, parameters, input, count);
  if (lengths) {
    const rows = context.at('f32', z, count * latentDim);
    for (let i = 0; i < rows.length; i++) rows[i] *= lengths[Math.floor(i / latentDim)];
  }
  context.kernels.sumRows(z, count, latentDim, latentDim, 1, sum);
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
