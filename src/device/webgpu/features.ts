import type { RunOptions } from '../../run-options.js';
import type { DeviceFeatureMap } from '../device-feature-map.js';
import type { DeviceTokens } from '../device-tokens.js';
import type { Tensor } from '../memory.js';
import { forward } from './forward.js';
import type { GpuContext } from './gpu-context.js';
import { withScratch } from './scratch.js';

/** Rows whose features are computed at once. */
const ROWS = 4096;

/** out (rows x d') = psi(x), x rows x d. */
export async function features(
  { queue, memory }: GpuContext,
  { layout, parameters }: DeviceFeatureMap,
  x: Tensor<'f32'>,
  rows: number,
  out: Tensor<'f32'>,
  { signal }: RunOptions = {},
): Promise<void> {
  const { inputDim, latentDim } = layout;
  for (let from = 0; from < rows; from += ROWS) {
    const to = Math.min(rows, from + ROWS);
    await withScratch(queue, async (scratch) => {
      const weights = await memory.whole(parameters, scratch);
      const input = await memory.span(x, from * inputDim, to * inputDim, scratch);
      await memory.fill(out, from * latentDim, to * latentDim, scratch, (z) =>
        forward(queue, scratch, layout, weights, input, to - from, z, { signal }),
      );
    });
  }
}

/** out (queries x d', one buffer) = the sum of psi over the tokens of each query. */
export async function queryFeatures(
  { queue, memory }: GpuContext,
  { layout, parameters, unit = false }: DeviceFeatureMap,
  queries: DeviceTokens,
  out: GPUBuffer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { inputDim, latentDim } = layout;
  const ends = await memory.numbersOf(queries.offsets);
  const tokens = ends[queries.documentCount];
  queue.clear(out);
  for (let from = 0, query = 0; from < tokens; from += ROWS) {
    const to = Math.min(tokens, from + ROWS);
    await withScratch(queue, async (scratch) => {
      const weights = await memory.whole(parameters, scratch);
      const offsets = await memory.whole(queries.offsets, scratch);
      const given = await memory.span(queries.vectors, from * inputDim, to * inputDim, scratch);
      const lengths = unit ? scratch.take((to - from) * 4) : null;
      const input = unit ? { buffer: scratch.take((to - from) * inputDim * 4), at: 0 } : given;
      if (lengths)
        await queue.dispatch(
          'unitRows',
          [to - from, inputDim, given.at],
          [given.buffer, input.buffer, lengths],
          [Math.ceil((to - from) / 64)],
        );
      const z = { buffer: scratch.take((to - from) * latentDim * 4), at: 0 };
      await forward(queue, scratch, layout, weights, input, to - from, z, { signal });
      let last = query;
      while (last < queries.documentCount && ends[last] < to) last++;
      await queue.dispatch(
        'sumTokens',
        [latentDim, query, from, to, Number(unit)],
        [z.buffer, lengths, offsets, out],
        [Math.ceil(latentDim / 64), last - query],
      );
      // one may go on in the next rows
      query = last > 0 && ends[last] > to ? last - 1 : last;
    });
  }
}
