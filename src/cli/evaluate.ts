import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolingEncoder } from '../encoder/node.js';
import { LemurError } from '../errors.js';
import type { CandidateOptions } from '../lemur/candidates.js';
import type { RunOptions } from '../run-options.js';
import { MaxSim } from '../search/exact-search.js';
import { type ExactRanking, ndcgAt, overlapAt } from '../search/metrics.js';
import { type Collection, openLemur, openPooled, openQueries, type StoredQueries } from './collection.js';
import { createTally, type Latency, latencyOf, timed } from './measure.js';
import { exactMethod, type Method, pooledMethod, reducedMethod } from './methods.js';

/** What the table has where nothing else is asked for. */
export const TABLE: { readonly k: number; readonly candidates: readonly number[] } = { k: 10, candidates: [50, 100, 200] };

/** Queries that each method runs before anything is timed. */
const WARM_UP = 10;
/** Queries whose encoding is timed. */
const ENCODED = 50;

export interface EvaluateOptions extends RunOptions {
  k: number;
  /** The k' of each first stage. */
  candidates: readonly number[];
  /** How candidates are found. */
  scan?: CandidateOptions['scan'];
  threads?: number | undefined;
  /** Times the encoding of queries where it is given. */
  encoder?: PoolingEncoder | undefined;
}

/** A row of the table. */
export interface Row {
  method: string;
  numCandidates: number | null;
  /** Of the final ranking, against the judgements, over the judged queries; null without any. */
  ndcg: number | null;
  /** Share of the exact top k among the first stage's candidates; for the pooled vector among its own top k. */
  recall: number;
  /** Of the whole search in milliseconds, without encoding the query. */
  latency: Latency;
  /** Of the collection: what a query's first pass reads, what is read of documents that are rescored after it, and all that a search reads from. */
  scannedBytes: number;
  rescoredBytes: number;
  totalBytes: number;
}

export interface Evaluation {
  k: number;
  /** Queries measured, and those of them that a document is judged relevant to. */
  queries: number;
  judged: number;
  rows: Row[];
  /** Share of the exact top k among the pooled vector's first `depth`; null where there is no pooled vector. */
  pooledDeeper: { depth: number; recall: number } | null;
  /** Encoding one query, in milliseconds; null without an encoder. */
  encoding: Latency | null;
  /** Latent dimensions of trained and random features; null where there are none. */
  latentDims: { trained: number; random: number | null };
}

/** k' below k cannot fill a result. */
export function checkCandidates(candidates: readonly number[], k: number): void {
  const small = candidates.find((n) => n < k);
  if (small === undefined) return;
  const why = `the ${k} results are chosen among the candidates, so expected at least ${k}`;
  throw new LemurError('invalid-argument', `--candidates ${small} is below -k ${k}: ${why}`, { where: 'candidates' });
}

/** Runs every query, the collection's own where none are given, through every method that the folder has what it takes for, one at a time. */
export async function evaluate(collection: Collection, queries: StoredQueries | undefined, options: EvaluateOptions): Promise<Evaluation> {
  const { k, candidates, scan, threads, signal } = options;
  checkCandidates(candidates, k);
  const stored = queries ?? (await openQueries(collection));
  if (!stored)
    throw new LemurError('invalid-argument', `${collection.folder}: no queries came with it; name some with --queries`, {
      where: 'queries',
    });
  const pooled = stored.pooled && (await openPooled(collection));
  const trained = await openLemur(collection, 'lemur', threads);
  const random = existsSync(join(collection.folder, 'random')) ? await openLemur(collection, 'random', threads) : undefined;
  const maxSim = await MaxSim.create(collection.tokens, { threads, signal });
  try {
    const depth = Math.max(...candidates);
    const exact = exactMethod(maxSim, collection.tokens, stored.tokens, k);
    const shared = { maxSim, documents: collection.tokens, queries: stored.tokens, k, scan };
    const reduced = [
      ...candidates.map((numCandidates) => reducedMethod('Lemur', trained, { ...shared, numCandidates })),
      ...(random ? candidates.map((numCandidates) => reducedMethod('random features', random, { ...shared, numCandidates })) : []),
    ];
    const single = pooled && pooledMethod(pooled, collection.documents.length, stored.pooled!, k, depth);
    const { rows, deeper, judged } = await measure(collection, stored, exact, reduced, single, options);
    return {
      k,
      queries: stored.queries.length,
      judged,
      rows,
      pooledDeeper: single ? { depth, recall: deeper } : null,
      encoding: options.encoder ? await timeEncoding(options.encoder, stored, collection.info.plan.maxTokens) : null,
      latentDims: { trained: trained.latentDim, random: random?.latentDim ?? null },
    };
  } finally {
    for (const held of [trained, random, maxSim]) held?.close();
  }
}

/** Exact search first, since the others are compared with it; these in turn, so that a busy moment of the machine meets them all alike. */
async function measure(
  collection: Collection,
  stored: StoredQueries,
  exact: Method,
  reduced: readonly Method[],
  single: Method | undefined,
  { k, signal, onProgress }: EvaluateOptions,
): Promise<{ rows: Row[]; deeper: number; judged: number }> {
  const total = stored.queries.length;
  const others = single ? [...reduced, single] : reduced;
  const tallies = new Map([exact, ...others].map((method) => [method, createTally()]));
  const judgements = stored.queries.map(({ id }) => {
    const grades = stored.qrels.get(id);
    return grades && [...grades.values()].some((grade) => grade > 0) ? grades : undefined;
  });
  const ndcg = (query: number, ranking: Int32Array): number | undefined => {
    const grades = judgements[query];
    if (!grades) return undefined;
    const ids = Array.from(
      ranking.subarray(0, k).filter((number) => number >= 0),
      (number) => collection.documents[number].id,
    );
    return ndcgAt(ids, grades, k);
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
  const rows = [...tallies].map(([{ name, numCandidates, scannedBytes, rescoredBytes, totalBytes }, tally]): Row => {
    return { method: name, numCandidates, ...tally.summary(), scannedBytes, rescoredBytes, totalBytes };
  });
  return { rows, deeper, judged: judgements.filter((grades) => grades !== undefined).length };
}

async function timeEncoding(encoder: PoolingEncoder, { queries }: StoredQueries, maxTokens: number | undefined): Promise<Latency> {
  const encode = (query: number): Promise<unknown> => encoder.encodeQuery([queries[query].text], { maxTokens });
  for (let q = 0; q < Math.min(WARM_UP, queries.length); q++) await encode(q);
  const times: number[] = [];
  for (let q = 0; q < Math.min(ENCODED, queries.length); q++) times.push((await timed(() => encode(q))).ms);
  return latencyOf(times);
}
