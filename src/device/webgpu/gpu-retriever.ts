import type { RunOptions } from '../../run-options.js';
import type { DeviceCodes } from '../device-codes.js';
import type { Tensor } from '../memory.js';
import type {
  Retriever,
  TokenQueries,
  TopCodesOptions,
  TopOptions,
  TopRows,
} from '../retriever.js';
import { encodeRows } from './encode-rows.js';
import { queryFeatures } from './features.js';
import type { GpuContext } from './gpu-context.js';
import { maxSim, maxSimSubset } from './max-sim.js';
import { byRows, product } from './product.js';
import { rangesOf } from './ranges.js';
import { reduceQueries } from './reduce-queries.js';
import { type Scratch, withScratch } from './scratch.js';
import { searchDocuments } from './search-documents.js';
import { selectRows } from './select-rows.js';
import {
  type CodeQueries,
  chooseByCodes,
  emptyTop,
  maskOf,
  putBest,
  queriesAtOnce,
  type ReadRows,
  readSelected,
} from './top-codes.js';

export function gpuRetriever(context: GpuContext): Retriever {
  const { queue, memory } = context;
  return {
    queryFeatures: (featureMap, queries, out, options) =>
      withScratch(queue, async (scratch) => {
        const { latentDim } = featureMap.layout;
        const length = queries.documentCount * latentDim;
        const sums = scratch.take(length * 4);
        await queryFeatures(context, featureMap, queries, sums, options?.signal);
        await memory.put(out, 0, length, sums);
      }),
    innerProducts: (a, rows, b, columns, dim, out, options) =>
      innerProducts(context, { a, rows, b, columns, dim }, out, options),
    encodeRows: (args, rows, dim, prefixDim, options) =>
      encodeRows(context, args, { rows, dim, prefixDim }, options),
    topCodes: (documents, queries, prefixes, count, rescored, k, options = {}) =>
      topCodes(context, documents, { queries, prefixes, count }, rescored, k, options),
    topCodesOfTokens: (documents, queries, rescored, k, options = {}) =>
      topCodesOfTokens(context, documents, queries, rescored, k, options),
    searchDocuments: (search, queries, depths, options = {}) =>
      searchDocuments(context, search, queries, depths, options),
    topInnerProducts: (queries, count, w, rows, dim, k, options = {}) =>
      topInnerProducts(context, { queries, count, w, rows, dim }, k, options),
    maxSim: (queries, documents, out, options) => maxSim(context, queries, documents, out, options),
    maxSimSubset: (queries, documents, candidates, ends, out, options) =>
      maxSimSubset(context, queries, documents, candidates, ends, out, options),
  };
}

interface RowProducts {
  readonly a: Tensor<'f32'>;
  readonly rows: number;
  readonly b: Tensor<'f32'>;
  readonly columns: number;
  readonly dim: number;
}

async function innerProducts(
  { queue, memory }: GpuContext,
  { a, rows, b, columns, dim }: RowProducts,
  out: Tensor<'f32'>,
  { signal }: RunOptions = {},
): Promise<void> {
  const rangesIn = (tensor: Tensor<'f32'>, count: number) =>
    rangesOf(memory.pieces(tensor, 0, count * dim), count, (row) => row * dim);
  const across = rangesIn(b, columns);
  for (const { first, last } of rangesIn(a, rows))
    await withScratch(queue, async (scratch) => {
      const left = byRows(await memory.span(a, first * dim, last * dim, scratch), dim);
      await memory.fill(out, first * columns, last * columns, scratch, async (span) => {
        for (const side of across)
          await withScratch(queue, async (own) => {
            const held = await memory.span(b, side.first * dim, side.last * dim, own);
            const many = side.last - side.first;
            const sizes = { rows: last - first, columns: many, depth: dim, outRow: columns };
            const to = { ...span, at: span.at + side.first };
            await product(queue, { ...sizes, left, right: byRows(held, dim), out: to }, signal);
          });
      });
    });
}

async function topCodes(
  context: GpuContext,
  documents: DeviceCodes,
  {
    queries,
    prefixes,
    count,
  }: Pick<TokenQueries, never> & {
    queries: Tensor<'f32'>;
    prefixes: Tensor<'f32'>;
    count: number;
  },
  rescored: number,
  k: number,
  options: TopCodesOptions,
): Promise<TopRows> {
  const { memory } = context;
  const { dim, prefixDim } = documents;
  const { shifts } = options;
  const top = emptyTop(count, k);
  await inPasses(context, documents.rows, count, options, async (scratch, from, to) => {
    const part = (tensor: Tensor<'f32'>, width: number) =>
      memory.span(tensor, from * width, to * width, scratch);
    const own = shifts && scratch.upload(await memory.read(shifts, from, to));
    const of = {
      ...{ count: to - from, shifts: own ?? null },
      ...{ queries: await part(queries, dim), prefixes: await part(prefixes, prefixDim) },
    };
    await putTop(context, scratch, documents, of, { rescored, k }, options, (q, list) =>
      putBest(top, from + q, k, list),
    );
  });
  return top;
}

async function topCodesOfTokens(
  context: GpuContext,
  documents: DeviceCodes,
  { tokens, ...reduction }: TokenQueries,
  rescored: number,
  k: number,
  options: TopOptions,
): Promise<TopRows & { features: Float32Array }> {
  const { queue } = context;
  const { dim, prefixDim } = documents;
  const count = tokens.documentCount;
  const top = emptyTop(count, k);
  return withScratch(queue, async (scratch) => {
    const { signal } = options;
    const all = await reduceQueries(context, scratch, reduction, tokens, prefixDim, signal);
    await inPasses(context, documents.rows, count, options, async (own, from, to) => {
      const { queries, prefixes, shifts } = all;
      const some = to - from;
      const part = shifts && own.take(some * 4);
      if (shifts && part) queue.copy(shifts, from * 4, part, 0, some * 4);
      const of = {
        ...{ count: some, shifts: part },
        queries: { ...queries, at: from * dim },
        prefixes: { ...prefixes, at: from * prefixDim },
      };
      await putTop(context, own, documents, of, { rescored, k }, options, (q, list) =>
        putBest(top, from + q, k, list),
      );
    });
    const features = new Float32Array(await queue.read(all.queries.buffer, 0, count * dim * 4));
    return { ...top, features };
  });
}

/** The best rows of the queries of a pass, in the order of rows, to `put` for each query. */
async function putTop(
  context: GpuContext,
  scratch: Scratch,
  documents: DeviceCodes,
  of: CodeQueries,
  { rescored, k }: { rescored: number; k: number },
  { allowed, signal }: TopOptions,
  put: (query: number, list: ReadRows) => void,
): Promise<void> {
  const { rows } = documents;
  const mask = await maskOf(context, scratch, allowed, rows);
  const listed = Math.min(Math.max(rescored, k), rows);
  const most = Math.min(k, rows);
  const options = { mask, signal };
  const depths = { listed, k: most };
  const chosen = await chooseByCodes(context, scratch, documents, of, depths, options);
  const { numbers, scores } = await readSelected(context, chosen, of.count * most);
  for (let q = 0; q < of.count; q++) {
    const [from, to] = [q * most, (q + 1) * most];
    put(q, { numbers: numbers.subarray(from, to), scores: scores.subarray(from, to) });
  }
}

async function topInnerProducts(
  context: GpuContext,
  {
    queries,
    count,
    w,
    rows,
    dim,
  }: Record<'queries' | 'w', Tensor<'f32'>> & Record<'count' | 'rows' | 'dim', number>,
  k: number,
  options: TopOptions,
): Promise<TopRows> {
  const { queue, memory } = context;
  const top = emptyTop(count, k);
  const most = Math.min(k, rows);
  const startOf = (row: number): number => row * dim;
  await inPasses(context, rows, count, options, async (scratch, from, to) => {
    const mask = await maskOf(context, scratch, options.allowed, rows);
    const asked = await memory.span(queries, from * dim, to * dim, scratch);
    const scores = scratch.take((to - from) * rows * 4);
    for (const { first, last } of rangesOf(memory.pieces(w, 0, rows * dim), rows, startOf))
      await withScratch(queue, async (own) => {
        const right = byRows(await memory.span(w, startOf(first), startOf(last), own), dim);
        const sizes = { rows: to - from, columns: last - first, depth: dim, outRow: rows };
        const out = { buffer: scores, at: first };
        await product(queue, { ...sizes, left: byRows(asked, dim), right, out }, options.signal);
      });
    const lists = { scores, lists: to - from, items: rows, mask, numbers: null };
    const selected = await selectRows(queue, scratch, lists, most);
    const found = await readSelected(context, selected, (to - from) * most);
    for (let q = from; q < to; q++) {
      const [begin, end] = [(q - from) * most, (q - from + 1) * most];
      putBest(top, q, k, {
        numbers: found.numbers.subarray(begin, end),
        scores: found.scores.subarray(begin, end),
      });
    }
  });
  return top;
}

/** Passes of as many queries as have room for a score for each row. */
async function inPasses(
  { queue }: GpuContext,
  rows: number,
  count: number,
  { onProgress }: RunOptions,
  find: (scratch: Scratch, from: number, to: number) => Promise<void>,
): Promise<void> {
  const step = queriesAtOnce(rows);
  onProgress?.({ stage: 'candidates', done: 0, total: count });
  for (let from = 0; from < count; from += step) {
    const to = Math.min(count, from + step);
    await withScratch(queue, (scratch) => find(scratch, from, to));
    onProgress?.({ stage: 'candidates', done: to, total: count });
  }
}
