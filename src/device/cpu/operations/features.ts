import type { DeviceFeatureMap, DeviceTokens, Tensor } from '../../device.js';
import type { Context, Operation } from '../operation.js';
import { SCRATCH_SLACK } from '../operation.js';
import { forward, forwardScratch } from './forward.js';

const ROWS = 128;

/** out (rows x d') = psi(x), 128 rows a block. */
export const features: Operation<{ map: DeviceFeatureMap; x: Tensor<'f32'>; rows: number; out: Tensor<'f32'> }> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes: ({ map }) =>
    SCRATCH_SLACK + forwardScratch(map.layout, ROWS) + ROWS * map.layout.inputDim * 4 + map.layout.parameterCount * 4,
  run(context, { map, x, rows, out }, block) {
    const { layout } = map;
    const from = block * ROWS;
    const count = Math.min(ROWS, rows - from);
    const parameters = context.stage(map.parameters, 0, layout.parameterCount);
    const input = context.stage(x, from * layout.inputDim, (from + count) * layout.inputDim);
    const z = forward(context, layout, parameters, input, count);
    context.view(out).set(context.at('f32', z, count * layout.latentDim), from * layout.latentDim);
  },
};

/** out (queries x d'): sum of psi over each query's tokens, a query a block. */
export const queryFeatures: Operation<{ map: DeviceFeatureMap; queries: DeviceTokens; out: Tensor<'f32'> }> = {
  blocks: ({ queries }) => queries.documents,
  scratchBytes({ map, queries }) {
    const rows = Math.min(ROWS, queries.longest);
    const { latentDim, parameterCount, inputDim } = map.layout;
    return SCRATCH_SLACK + forwardScratch(map.layout, rows) + 4 * (rows * inputDim + parameterCount + latentDim);
  },
  run(context, { map, queries, out }, query) {
    const { layout } = map;
    const parameters = context.stage(map.parameters, 0, layout.parameterCount);
    const sum = context.scratch(layout.latentDim * 4);
    const offsets = context.view(queries.offsets);
    const end = offsets[query + 1];
    context.at('f32', sum, layout.latentDim).fill(0);
    for (let from = offsets[query]; from < end; from += ROWS) {
      const mark = context.mark();
      addFeatures(context, map, queries, parameters, from, Math.min(ROWS, end - from), sum);
      context.rewind(mark);
    }
    context.view(out).set(context.at('f32', sum, layout.latentDim), query * layout.latentDim);
  },
};

function addFeatures(
  context: Context,
  { layout }: DeviceFeatureMap,
  queries: DeviceTokens,
  parameters: number,
  from: number,
  count: number,
  sum: number,
): void {
  const input = context.stage(queries.vectors, from * layout.inputDim, (from + count) * layout.inputDim);
  const z = forward(context, layout, parameters, input, count);
  context.kernels.sumRows(z, count, layout.latentDim, layout.latentDim, 1, sum);
}
