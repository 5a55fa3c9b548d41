import type { Encoder } from '../encoder/encoder.js';
import { invalidArgument } from '../errors.js';
import { checkK } from '../search/check-k.js';
import { DeviceQueries } from '../search/device-queries.js';
import type { TokenInput } from '../tokens/token-sets.js';
import { describeKind, showValue } from '../value-kind.js';
import { compileFilter } from './metadata/compile-filter.js';
import type { Filter } from './metadata/filter.js';
import type { Metadata } from './metadata/metadata.js';
import type { ReadingCall } from './open-collection.js';
import { checkFlag, checkGroupBy, checkInclude } from './options/check-options.js';
import type {
  Include,
  Query,
  RerankOptions,
  SearchMode,
  SearchOptions,
} from './options/options.js';
import type { Hit } from './options/results.js';
import { hitsOf } from './query/answer.js';
import { candidateCount } from './query/candidate-count.js';
import { allowedIn } from './query/filter-mask.js';
import { checkCandidateSource, givenSource } from './query/given-source.js';
import {
  bestSources,
  morePassages,
  passagesFor,
  rankingOf,
  sourceHits,
} from './query/group-sources.js';
import { different, lookUpAll } from './query/look-up.js';
import { hybridDepth, type Ranked, rank, type Search } from './query/rank.js';
import {
  oneQuery,
  type QuerySets,
  queryTexts,
  readQueries,
  textQueries,
} from './query/read-queries.js';
import { rerank } from './query/rerank.js';
import type { SearchResult } from './query/search-result.js';
import { checkKeywords } from './query/word-segments.js';

const MODES: readonly SearchMode[] = ['meaning', 'keywords', 'hybrid'];
/** Hits of one call, of all its queries. */
const MOST_HITS = 2 ** 24;

/** `Index.searchBatch`: options, queries, candidates, exact scores, hits. */
export async function searchQueries<M extends Metadata, I extends readonly Include[]>(
  call: ReadingCall,
  given: readonly Query[] | TokenInput,
  options: SearchOptions<M, I>,
): Promise<SearchResult<M, I>[]> {
  const { snapshot, encoder, watch } = call;
  const { k = 10, exact, candidates, signal } = options;
  const filter = options.filter as Filter | undefined;
  const include = checkInclude(options.include);
  checkK(k);
  checkFlag(exact, 'exact');
  checkGroupBy(options.groupBy);
  if (candidates !== undefined) checkCandidateSource(candidates);
  const mode = checkMode(options);
  const compiled = filter === undefined ? null : compileFilter(filter);
  const wanted = candidateCount(snapshot, k, options);
  const source = candidates && givenSource(candidates, watch);
  if (mode !== 'meaning') await checkKeywords(snapshot);
  const queries = await queriesFor(mode, given, snapshot.manifest.dim, encoder, signal);
  const count = queries.counts.length;
  if (snapshot.live === 0) return Array.from({ length: count }, noHits<M, I>);
  // more hits than there are documents would be room for nothing
  const most = Math.min(k, snapshot.documents);
  const ranked = options.groupBy ? passagesFor(k, snapshot.documents) : most;
  const allowed = await allowedIn(snapshot, compiled, signal);
  const search = { ...call, mode, wanted, exact, source, allowed, filter, signal };
  checkHits(count, mode === 'hybrid' ? hybridDepth(search, ranked) : ranked);
  const found = await rank(search, queries, ranked, options.onProgress);
  const results: SearchResult<M, I>[] = [];
  for (let q = 0; q < count; q++) {
    const { hits, method, scored } = options.groupBy
      ? await hitsOfSources<M>(search, queries, q, k, found, include)
      : await hitsOfDocuments<M>(search, queries, q, found, include);
    const how = {
      ...method,
      candidates: scored,
      passing: allowed.count,
      documents: snapshot.live,
    };
    results.push({ hits: hits as Hit<M, I>[], how });
  }
  return results;
}

/** The hits of a query, how they were found, and how many documents were scored. */
interface QueryHits<M extends Metadata> extends Pick<Ranked, 'method'> {
  readonly hits: Hit<M>[];
  readonly scored: number;
}

async function hitsOfDocuments<M extends Metadata>(
  { snapshot, signal }: Search,
  queries: QuerySets,
  q: number,
  { rankings, scored, method }: Ranked,
  include: readonly Include[],
): Promise<QueryHits<M>> {
  const hits = await hitsOf<M>(snapshot, queries, q, rankings[q], include, signal);
  return { hits, method, scored: scored[q] };
}

/** Ranks more passages until they are of k documents, or there are no more. */
async function hitsOfSources<M extends Metadata>(
  search: Search,
  queries: QuerySets,
  q: number,
  k: number,
  found: Ranked,
  include: readonly Include[],
): Promise<QueryHits<M>> {
  const { snapshot, allowed, signal } = search;
  let { method } = found;
  let ranked = found.k;
  let scored = found.scored[q];
  let ranking = found.rankings[q];
  for (;;) {
    const more = await morePassages(snapshot, ranking, ranked, k, allowed.count, signal);
    if (more === undefined) break;
    const again = await rank(search, oneQuery(queries, q), more);
    ({ method } = again);
    scored = again.scored[0];
    [ranking, ranked] = [again.rankings[0], more];
  }
  const { counts, ...best } = await bestSources(snapshot, ranking, k, signal);
  const hits = await hitsOf<M>(snapshot, queries, q, best, include, signal);
  return { hits: await sourceHits(hits, counts, signal), method, scored };
}

/** `Index.rerank`: exact scores of documents that are there, and hits. */
export async function rerankIds<M extends Metadata, I extends readonly Include[]>(
  { device, snapshot, encoder }: ReadingCall,
  query: Query,
  ids: readonly string[],
  options: RerankOptions<I>,
): Promise<SearchResult<M, I>> {
  const { signal } = options;
  const include = checkInclude(options.include);
  if (!Array.isArray(ids))
    throw invalidArgument('ids', `expected an array of ids, got ${describeKind(ids)}`);
  const numbers = await lookUpAll(snapshot, ids, 'ids', signal);
  const rows = await different(numbers, snapshot.documents, signal);
  const k = options.k ?? Math.max(1, rows.length);
  checkK(k);
  const sets = await readQueries([query], snapshot.manifest.dim, encoder, signal);
  const queries = new DeviceQueries(device, sets, { signal });
  try {
    const top = await rerank(device, snapshot, queries, [rows], k, signal);
    const hits = await hitsOf<M>(snapshot, sets, 0, rankingOf(top, 0), include, signal);
    return {
      hits: hits as Hit<M, I>[],
      how: {
        method: 'exact',
        candidates: rows.length,
        passing: rows.length,
        documents: snapshot.live,
      },
    };
  } finally {
    await queries.close();
  }
}

/** What a search ranks by. Raises 'invalid-argument' for what does not go with it. */
function checkMode({
  mode = 'meaning',
  ...options
}: Pick<SearchOptions, 'mode' | 'numCandidates' | 'recall'> & {
  candidates?: unknown;
}): SearchMode {
  if (!MODES.includes(mode))
    throw invalidArgument('mode', `expected ${MODES.join(', ')}, got ${showValue(mode)}`);
  if (mode !== 'keywords') return mode;
  for (const name of ['numCandidates', 'recall', 'candidates'] as const)
    if (options[name] !== undefined)
      throw invalidArgument(
        name,
        "expected none with mode 'keywords', which ranks all documents that pass",
      );
  return mode;
}

/** Queries for what a search ranks by: without token vectors where it ranks by keywords. */
function queriesFor(
  mode: SearchMode,
  given: readonly Query[] | TokenInput,
  dim: number,
  encoder: Encoder | undefined,
  signal: AbortSignal | undefined,
): Promise<QuerySets> | QuerySets {
  if (mode === 'meaning') return readQueries(given, dim, encoder, signal);
  const text = queryTexts(given, `token vectors, expected a text with mode '${mode}'`);
  return mode === 'keywords' ? textQueries(text, dim) : readQueries(text, dim, encoder, signal);
}

function checkHits(queries: number, k: number): void {
  if (queries * k <= MOST_HITS) return;
  const expected = `expected at most ${MOST_HITS} hits in one call: search some at a time`;
  throw invalidArgument('k', `${queries} queries with ${k} hits each, ${expected}`);
}

function noHits<M extends Metadata, I extends readonly Include[]>(): SearchResult<M, I> {
  return { hits: [], how: { method: 'exact', candidates: 0, passing: 0, documents: 0 } };
}
