import type { DeviceTokens } from '../device-tokens.js';
import type { TokenQueries } from '../retriever.js';
import { queryFeatures } from './features.js';
import type { GpuContext } from './gpu-context.js';
import { byRows, product } from './product.js';
import type { Scratch } from './scratch.js';
import type { CodeQueries } from './top-codes.js';

/** Features and prefixes of queries that come as token vectors. */
export async function reduceQueries(
  context: GpuContext,
  scratch: Scratch,
  { featureMap, projection, means }: Omit<TokenQueries, 'tokens'>,
  tokens: DeviceTokens,
  prefixDim: number,
  signal: AbortSignal | undefined,
): Promise<CodeQueries> {
  const { queue, memory } = context;
  const { latentDim: dim } = featureMap.layout;
  const count = tokens.documentCount;
  const queries = { buffer: scratch.take(count * dim * 4), at: 0 };
  await queryFeatures(context, featureMap, tokens, queries.buffer, signal);
  const prefixes = { buffer: scratch.take(count * prefixDim * 4), at: 0 };
  const left = byRows(queries, dim);
  const right = byRows({ buffer: await memory.whole(projection, scratch), at: 0 }, dim);
  const sizes = { rows: count, columns: prefixDim, depth: dim, outRow: prefixDim };
  await product(queue, { ...sizes, left, right, out: prefixes }, signal);
  if (!means) return { count, queries, prefixes, shifts: null };
  const { mean, base } = means;
  const apart = scratch.upload(Float32Array.from(mean, (value, j) => value - base[j]));
  const shifts = scratch.take(count * 4);
  await product(queue, {
    ...{ rows: count, columns: 1, depth: dim, outRow: 1 },
    ...{ left, right: byRows({ buffer: apart, at: 0 }, dim), out: { buffer: shifts, at: 0 } },
  });
  return { count, queries, prefixes, shifts };
}
