import type { RunOptions } from '../../run-options.js';
import type { DocumentWeightsArgs } from '../learner.js';
import type { GpuContext } from './gpu-context.js';
import { HostMatrix } from './host-matrix.js';
import { byColumns, product, standardise } from './product.js';
import { type ScoredTokens, scoredTokens } from './scored-tokens.js';
import { withScratch } from './scratch.js';
import { rowsAtOnce, targetRows } from './targets.js';

/** Documents whose weights are solved at once. */
const MOST_DOCUMENTS = 2048;

/**
 * out (documents x d') = (L L^T)^-1 Z^T y of the documents' standardised targets: targets and Z^T y
 * on the device, the latter summed in float32 by 256 rows at a time, and the solution in float64 on
 * the processor.
 */
export async function documentWeights(
  context: GpuContext,
  { documents, factor, out, ...sample }: DocumentWeightsArgs,
  { signal, onProgress }: RunOptions = {},
): Promise<void> {
  const matrix = HostMatrix.own(factor);
  const { documentCount: total } = documents;
  const step = Math.min(MOST_DOCUMENTS, total);
  const stage = { stage: 'document weights', total };
  const scored = await scoredTokens(context, documents);
  try {
    onProgress?.({ ...stage, done: 0 });
    for (let first = 0; first < total; first += step) {
      const last = Math.min(total, first + step);
      const sums = await products(context, scored, sample, matrix.n, [first, last], signal);
      const solved = await matrix.solve(sums, { signal });
      await context.memory.write(out, solved, first * matrix.n);
      onProgress?.({ ...stage, done: last });
    }
  } finally {
    scored.free();
  }
}

/** Z^T y of documents first .. last, documents x d'. */
async function products(
  context: GpuContext,
  scored: ScoredTokens,
  { x, z, rows, mean, std }: Pick<DocumentWeightsArgs, 'x' | 'z' | 'rows' | 'mean' | 'std'>,
  n: number,
  [first, last]: readonly [number, number],
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const { queue, memory } = context;
  const count = last - first;
  return withScratch(queue, async (scratch) => {
    const sums = { buffer: scratch.take(count * n * 4), at: 0 };
    const step = rowsAtOnce(count);
    for (let from = 0; from < rows; from += step) {
      const to = Math.min(rows, from + step);
      await withScratch(queue, async (own) => {
        const y = { buffer: own.take((to - from) * count * 4), at: 0 };
        const entries = { from: first, count, chosen: null };
        const numbers = Int32Array.from({ length: count }, (_, i) => first + i);
        await targetRows(context, own, scored, { x, from, to }, entries, numbers, y, signal);
        await standardise(queue, y.buffer, (to - from) * count, { mean, std });
        const features = await memory.span(z, from * n, to * n, own);
        await product(
          queue,
          {
            ...{ rows: count, columns: n, depth: to - from, outRow: n },
            ...{ left: byColumns(y, count), right: byColumns(features, n) },
            ...{ out: sums, adds: from > 0 },
          },
          signal,
        );
      });
    }
    return new Float32Array(await queue.read(sums.buffer, 0, count * n * 4));
  });
}
