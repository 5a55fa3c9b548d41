import { createTally, type Latency, latencyOf, timed } from '../advise/latency.js';
import type { IndexManifest } from '../collection/files/manifest.js';
import type { Index } from '../collection/index.js';
import type { Query, SearchMode, SearchOptions } from '../collection/options/options.js';
import type { SearchResult } from '../collection/query/search-result.js';
import type { PoolingEncoder } from '../entry/node-encoder.js';
import type { RunOptions } from '../run-options.js';
import { type ExactRanking, ndcgAt, overlapAt } from '../search/metrics.js';
import { encodingOf } from '../tokens/encodings.js';
import type { PooledSearch } from './pooled.js';
import type { AskedQueries } from './queries.js';
import { queryMatrix } from './query-matrix.js';

/** The table where nothing else is asked for. */
export const TABLE: { readonly k: number; readonly candidates: readonly number[] } = {
  k: 10,
  candidates: [50, 100, 200],
};

/** Queries that each method runs before anything is timed. */
const WARM_UP = 10;
/** Queries whose encoding is timed. */
const ENCODED = 50;
/** Results behind rank k that exact search adds, for ties at the cut. */
const TIES = 10;

export interface EvaluateOptions extends RunOptions {
  k: number;
  /** What is ranked by; 'meaning' where it is not said. The others are asked texts. */
  mode?: SearchMode | undefined;
  /** The k' of each row of candidates. */
  candidates: readonly number[];
  /** Times the encoding of queries where it is given. */
  encoder?: PoolingEncoder | undefined;
  /** One vector for each text, to compare with. */
  pooled?: PooledSearch | undefined;
}

/** A row of the table. */
export interface Row {
  method: string;
  numCandidates: number | null;
  /** Of the final ranking, against the judgements, over the judged queries; null without any. */
  ndcg: number | null;
  /** Share of the top k of the first row that is found. */
  recall: number;
  /** Of the whole search in milliseconds; encoding the query counts in a hybrid search alone. */
  latency: Latency;
  /** Bytes that the first pass reads of each document; null where it reads postings. */
  scannedBytes: number | null;
}

export interface Evaluation {
  k: number;
  mode: SearchMode;
  /** Queries measured, and those of them that a document is judged relevant to. */
  queries: number;
  judged: number;
  rows: Row[];
  /** Encoding one query, in milliseconds; null without an encoder. */
  encoding: Latency | null;
}

interface Method extends Pick<Row, 'method' | 'numCandidates' | 'scannedBytes'> {
  search(query: number, k: number): Promise<{ ids: string[]; scores: number[] }>;
}

/**
 * Runs every query through every way to search, one at a time. Where all searches are exact, that
 * is one.
 */
export async function evaluate(
  index: Index,
  manifest: IndexManifest,
  queries: AskedQueries,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { pooled, encoder, mode = 'meaning' } = options;
  const methods = await indexMethods(index, manifest, queries, options);
  if (pooled) methods.push({ method: 'one pooled vector', numCandidates: null, ...pooled });
  return {
    ...{ k: options.k, mode },
    queries: queries.ids.length,
    ...(await measure(methods, queries, options)),
    encoding:
      encoder && queries.texts && mode === 'meaning'
        ? await timeEncoding(encoder, queries.texts)
        : null,
  };
}

/** What the ways to search in a mode are called: the one that looks at all, and the others. */
const NAMES = {
  meaning: ['exact MaxSim', "Lemur, k'"],
  keywords: ['keywords (BM25)', ''],
  hybrid: ['hybrid, all documents', "hybrid, k'"],
} as const;

/**
 * Exact search, searches with given numbers of candidates where there are features, and the one
 * that `tune` has found; by keywords one, which looks at all that have a word.
 */
async function indexMethods(
  index: Index,
  { model }: IndexManifest,
  queries: AskedQueries,
  { k, candidates, signal, mode = 'meaning' }: EvaluateOptions,
): Promise<Method[]> {
  const { tokens, dim, precision, documents, deleted, curve, passages } = index.stats();
  const exactBytes = (tokens * encodingOf(precision).rowBytes(dim)) / (documents + deleted);
  const weightBytes = model ? model.prefix.dim || (model.featureMap.widths.at(-1) ?? 0) : 0;
  const groupBy = passages ? ('source' as const) : undefined;
  const ask = (query: number, options: SearchOptions): Promise<SearchResult> =>
    index.search(queryOf(queries, query, mode), { ...options, mode, groupBy, include: [], signal });
  const searchWith =
    (options: SearchOptions): Method['search'] =>
    async (query, count) => {
      const { hits } = await ask(query, { ...options, k: count });
      return { ids: hits.map(({ id }) => id), scores: hits.map(({ score }) => score) };
    };
  const [all, some] = NAMES[mode];
  const search = searchWith(mode === 'keywords' ? {} : { exact: true });
  const scannedBytes = mode === 'keywords' ? null : exactBytes;
  const methods: Method[] = [{ method: all, numCandidates: null, scannedBytes, search }];
  if (mode === 'keywords') return methods;
  const byFeatures = async (name: string, options: SearchOptions): Promise<void> => {
    const { how } = await ask(0, { ...options, k });
    // few documents are scored exactly, whatever is asked for
    if (how.method === 'exact') return;
    // in a hybrid search those that words bring are scored beside them
    const numCandidates = mode === 'hybrid' ? (options.numCandidates ?? null) : how.candidates;
    methods.push({
      method: `${name} = ${numCandidates}`,
      numCandidates,
      scannedBytes: weightBytes,
      search: searchWith(options),
    });
  };
  for (const numCandidates of candidates) await byFeatures(some, { numCandidates });
  if (curve && mode === 'meaning') await byFeatures("as tuned, k'", {});
  return methods;
}

/** A query as it is asked in that mode. */
function queryOf({ texts, tokens }: AskedQueries, query: number, mode: SearchMode): Query {
  if (mode === 'meaning' && tokens) return queryMatrix(tokens, query);
  if (texts) return texts[query];
  throw new Error(`no texts to ask in mode ${mode}`);
}

/**
 * Exact search first, since the others are compared with it; these in turn, so that a busy moment
 * of the machine meets them all alike.
 */
async function measure(
  [exact, ...others]: readonly Method[],
  { ids, qrels }: AskedQueries,
  { k, signal, onProgress }: EvaluateOptions,
): Promise<{ rows: Row[]; judged: number }> {
  const total = ids.length;
  const tallies = new Map([exact, ...others].map((method) => [method, createTally()]));
  const judgements = ids.map((id) => {
    const grades = qrels.get(id);
    return grades && [...grades.values()].some((grade) => grade > 0) ? grades : undefined;
  });
  const ndcg = (query: number, ranking: readonly string[]): number | undefined => {
    const grades = judgements[query];
    return grades && ndcgAt(ranking.slice(0, k), grades, k);
  };
  const warmUp = async (methods: readonly Method[]): Promise<void> => {
    for (const method of methods)
      for (let q = 0; q < Math.min(WARM_UP, total); q++) await method.search(q, k);
  };

  const truth: ExactRanking<string>[] = [];
  await warmUp([exact]);
  for (let q = 0; q < total; q++) {
    signal?.throwIfAborted();
    onProgress?.({ stage: 'exact MaxSim', done: q, total });
    const { value, ms } = await timed(() => exact.search(q, k + TIES));
    truth.push(value);
    tallies.get(exact)?.add(ms, ndcg(q, value.ids), 1);
  }
  await warmUp(others);
  for (let q = 0; q < total; q++) {
    signal?.throwIfAborted();
    onProgress?.({ stage: 'measure', done: q, total });
    for (const method of others) {
      const { value, ms } = await timed(() => method.search(q, k));
      // candidates are reranked exactly: of the exact top k all that are among them are in the
      // result
      tallies.get(method)?.add(ms, ndcg(q, value.ids), overlapAt(value.ids, truth[q], k));
    }
  }
  const rows = [...tallies].map(([{ method, numCandidates, scannedBytes }, tally]): Row => {
    return { method, numCandidates, ...tally.summary(), scannedBytes };
  });
  return { rows, judged: judgements.filter((grades) => grades !== undefined).length };
}

async function timeEncoding(encoder: PoolingEncoder, texts: readonly string[]): Promise<Latency> {
  const encode = (query: number): Promise<unknown> => encoder.encodeQuery([texts[query]]);
  for (let q = 0; q < Math.min(WARM_UP, texts.length); q++) await encode(q);
  const times: number[] = [];
  for (let q = 0; q < Math.min(ENCODED, texts.length); q++)
    times.push((await timed(() => encode(q))).ms);
  return latencyOf(times);
}
