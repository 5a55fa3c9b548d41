import { invalidArgument } from '../errors.js';
import type { RunOptions } from '../run-options.js';
import type { AllowedDocuments } from '../search/allowed-documents.js';
import type { CandidateSource } from '../search/candidate-source.js';
import { checkK } from '../search/check-k.js';
import { DeviceQueries } from '../search/device-queries.js';
import type { TokenInput } from '../tokens/token-sets.js';
import { describeKind } from '../value-kind.js';
import { compileFilter } from './metadata/compile-filter.js';
import type { Filter } from './metadata/filter.js';
import type { Metadata } from './metadata/metadata.js';
import type { ReadingCall } from './open-collection.js';
import { checkFlag, checkGroupBy, checkInclude } from './options/check-options.js';
import type { Include, Query, RerankOptions, SearchOptions } from './options/options.js';
import type { Hit } from './options/results.js';
import { hitsOf } from './query/answer.js';
import { type CandidateCount, candidateCount } from './query/candidate-count.js';
import { type CandidateChoice, chooseCandidates } from './query/choose-candidates.js';
import { allowedIn } from './query/filter-mask.js';
import { type Found, findDocuments } from './query/find-documents.js';
import { checkCandidateSource, givenSource } from './query/given-source.js';
import {
  bestSources,
  morePassages,
  passagesFor,
  rankingOf,
  sourceHits,
} from './query/group-sources.js';
import { different, lookUpAll } from './query/look-up.js';
import { oneQuery, type QuerySets, readQueries } from './query/read-queries.js';
import { rerank } from './query/rerank.js';
import type { SearchMethod, SearchResult } from './query/search-result.js';

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
  const compiled = filter === undefined ? null : compileFilter(filter);
  const wanted = candidateCount(snapshot, k, options);
  const source = candidates && givenSource(candidates, watch);
  const queries = await readQueries(given, snapshot.manifest.dim, encoder, signal);
  const count = queries.counts.length;
  if (snapshot.live === 0) return Array.from({ length: count }, noHits<M, I>);
  // more hits than there are documents would be room for nothing
  const most = Math.min(k, snapshot.documents);
  const ranked = options.groupBy ? passagesFor(k, snapshot.documents) : most;
  checkHits(count, ranked);
  const allowed = await allowedIn(snapshot, compiled, signal);
  const search = { ...call, wanted, source, allowed, filter, signal };
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

/** What all queries of a search have in common. */
interface Search extends ReadingCall {
  readonly wanted: CandidateCount;
  readonly source: CandidateSource | undefined;
  readonly allowed: AllowedDocuments;
  readonly filter: Filter | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The best `k` documents of each query, and how they were found. */
interface Ranked extends Found {
  readonly k: number;
  readonly method: Pick<SearchMethod, 'method' | 'source'>;
}

/** Ranks the best `k` documents of each query among candidates that are as many at least. */
async function rank(
  { device, snapshot, wanted, source, allowed, filter, signal }: Search,
  queries: QuerySets,
  k: number,
  onProgress?: RunOptions['onProgress'],
): Promise<Ranked> {
  const enough = wanted === 'all' ? wanted : Math.max(wanted, k);
  const choice = chooseCandidates(snapshot, allowed.count, enough, source);
  const { text } = queries;
  const run = { k, choice, allowed, filter, text, signal, onProgress };
  const found = await findDocuments(device, snapshot, queries, run);
  return { ...found, k, method: methodOf(choice) };
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
  { top, scored, method }: Ranked,
  include: readonly Include[],
): Promise<QueryHits<M>> {
  const hits = await hitsOf<M>(snapshot, queries, q, rankingOf(top, q), include, signal);
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
  let ranking = rankingOf(found.top, q);
  for (;;) {
    const more = morePassages(snapshot, ranking, ranked, k, allowed.count);
    if (more === undefined) break;
    const again = await rank(search, oneQuery(queries, q), more);
    ({ method } = again);
    [scored] = again.scored;
    [ranking, ranked] = [rankingOf(again.top, 0), more];
  }
  const { counts, ...best } = bestSources(snapshot, ranking, k);
  const hits = await hitsOf<M>(snapshot, queries, q, best, include, signal);
  return { hits: sourceHits(hits, counts), method, scored };
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

function methodOf(choice: CandidateChoice): Pick<SearchMethod, 'method' | 'source'> {
  const { method } = choice;
  return method === 'source' ? { method, source: choice.source.name } : { method };
}

function checkHits(queries: number, k: number): void {
  if (queries * k <= MOST_HITS) return;
  const expected = `expected at most ${MOST_HITS} hits in one call: search some at a time`;
  throw invalidArgument('k', `${queries} queries with ${k} hits each, ${expected}`);
}

function noHits<M extends Metadata, I extends readonly Include[]>(): SearchResult<M, I> {
  return { hits: [], how: { method: 'exact', candidates: 0, passing: 0, documents: 0 } };
}
