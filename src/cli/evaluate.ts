import type { PoolingEncoder } from '../encoder/node.js';
import { LemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';
import { MaxSim } from '../search/exact-search.js';
import { type ExactRanking, ndcgAt, overlapAt } from '../search/metrics.js';
import { type Collection, openLemur, openPooled, openQueries, type StoredQueries } from './collection.js';
import { createTally, type Latency, latencyOf, timed } from './measure.js';
import { exactMethod, type Method, pooledMethod, reducedMethod } from './methods.js';
import { MAX_TOKENS } from './model.js';

/** Queries that each method runs before anything is timed. */
const WARM_UP = 10;
/** Queries whose encoding is timed. */
const ENCODED = 50;

export interface EvaluateOptions extends RunOptions {
  k: number;
  /** The k' of each first stage. */
  candidates: readonly number[];
  threads?: number | undefined;
  /** Times the encoding of queries where it is given. */
  encoder?: PoolingEncoder | undefined;
}

/** A row of the table. */
export interface Row {
  method: string;
  numCandidates: number | null;
  /** Of the final ranking, against the judgements. */
  ndcg: number;
  /** Share of the exact top k among the first stage's candidates; for the pooled vector among its own top k. */
  recall: number;
  /** Of the whole search in milliseconds, without encoding the query. */
  latency: Latency;
  scannedBytes: number;
  totalBytes: number;
}

export interface Evaluation {
  k: number;
  /** Queries measured: all that the collection has. */
  queries: number;
  rows: Row[];
  /** Share of the exact top k among the pooled vector's first `depth`. */
  pooledDeeper: { depth: number; recall: number };
  /** Encoding one query, in milliseconds; null without an encoder. */
  encoding: Latency | null;
  /** Latent dimensions of trained and random features. */
  latentDims: { trained: number; random: number };
}

/** k' below k cannot fill a result. */
export function checkCandidates(candidates: readonly number[], k: number): void {
  const small = candidates.find((n) => n < k);
  if (small === undefined) return;
  const why = `the ${k} results are chosen among the candidates, so expected at least ${k}`;
  throw new LemurError('invalid-argument', `--candidates ${small} is below -k ${k}: ${why}`, { where: 'candidates' });
}

/** Runs every judged query through every method, one at a time. */
export async function evaluate(collection: Collection, options: EvaluateOptions): Promise<Evaluation> {
  const { k, candidates, threads, signal } = options;
  checkCandidates(candidates, k);
  const stored = await openQueries(collection);
  const pooled = await openPooled(collection);
  const trained = await openLemur(collection, 'lemur', threads);
  const random = await openLemur(collection, 'random', threads);
  const maxSim = await MaxSim.create(collection.tokens, { threads, signal });
  try {
    const depth = Math.max(...candidates);
    const exact = exactMethod(maxSim, collection.tokens, stored.tokens, k);
    const shared = { maxSim, documents: collection.tokens, queries: stored.tokens, k };
    const reduced = [
      ...candidates.map((numCandidates) => reducedMethod('Lemur', trained, { ...shared, numCandidates })),
      ...candidates.map((numCandidates) => reducedMethod('random features', random, { ...shared, numCandidates })),
    ];
    const single = pooledMethod(pooled, collection.documents.length, stored, k, depth);
    const { rows, deeper } = await measure(collection, stored, exact, reduced, single, options);
    return {
      k,
      queries: stored.queries.length,
      rows,
      pooledDeeper: { depth, recall: deeper },
      encoding: options.encoder ? await timeEncoding(options.encoder, stored) : null,
      latentDims: { trained: trained.latentDim, random: random.latentDim },
    };
  } finally {
    for (const held of [trained, random, maxSim]) held.close();
  }
}

/** Exact search first, since the others are compared with it; these in turn, so that a busy moment of the machine meets them all alike. */
async function measure(
  collection: Collection,
  stored: StoredQueries,
  exact: Method,
  reduced: readonly Method[],
  single: Method,
  { k, signal, onProgress }: EvaluateOptions,
): Promise<{ rows: Row[]; deeper: number }> {
  const total = stored.queries.length;
  const others = [...reduced, single];
  const tallies = new Map([exact, ...others].map((method) => [method, createTally()]));
  const ndcg = (query: number, ranking: Int32Array): number => {
    const ids = Array.from(
      ranking.subarray(0, k).filter((number) => number >= 0),
      (number) => collection.documents[number].id,
    );
    return ndcgAt(ids, stored.qrels.get(stored.queries[query].id) ?? new Map(), k);
  };
  const warmUp = async (methods: readonly Method[]): Promise<void> => {
    for (const method of methods) for (let q = 0; q < Math.min(WARM_UP, total); q++) await method.search(q);
  };

  const truth: ExactRanking<number>[] = [];
  await warmUp([exact]);
  for (let q = 0; q < total; q++) {
    signal?.throwIfAborted();
    onProgress?.({ stage: 'exact MaxSim', done: q, total });
    const { value, ms } = await timed(() => exact.search(q));
    truth.push({ ids: value.ranking, scores: value.scores });
    tallies.get(exact)?.add(ms, ndcg(q, value.ranking), 1);
  }
  await warmUp(others);
  let deeper = 0;
  for (let q = 0; q < total; q++) {
    signal?.throwIfAborted();
    onProgress?.({ stage: 'measure', done: q, total });
    for (const method of others) {
      const { value, ms } = await timed(() => method.search(q));
      const overlap = overlapAt(value.candidates, truth[q], k);
      if (method === single) deeper += overlap / total;
      tallies.get(method)?.add(ms, ndcg(q, value.ranking), method === single ? overlapAt(value.ranking, truth[q], k) : overlap);
    }
  }
  const rows = [...tallies].map(([{ name, numCandidates, scannedBytes, totalBytes }, tally]): Row => {
    return { method: name, numCandidates, ...tally.summary(), scannedBytes, totalBytes };
  });
  return { rows, deeper };
}

async function timeEncoding(encoder: PoolingEncoder, { queries }: StoredQueries): Promise<Latency> {
  const encode = (query: number): Promise<unknown> => encoder.encodeQuery([queries[query].text], { maxTokens: MAX_TOKENS });
  for (let q = 0; q < Math.min(WARM_UP, queries.length); q++) await encode(q);
  const times: number[] = [];
  for (let q = 0; q < Math.min(ENCODED, queries.length); q++) times.push((await timed(() => encode(q))).ms);
  return latencyOf(times);
}
