import { invalidArgument } from '../errors.js';
import { checkK } from '../search/check-k.js';
import { DeviceQueries } from '../search/device-queries.js';
import type { TokenInput } from '../tokens/token-sets.js';
import { describeKind } from '../value-kind.js';
import { compileFilter } from './metadata/compile-filter.js';
import type { Filter } from './metadata/filter.js';
import type { Metadata } from './metadata/metadata.js';
import type { ReadingCall } from './open-collection.js';
import { checkFlag, checkInclude } from './options/check-options.js';
import type { Include, Query, RerankOptions, SearchOptions } from './options/options.js';
import type { Hit } from './options/results.js';
import { hitsOf } from './query/answer.js';
import { candidateCount } from './query/candidate-count.js';
import { type CandidateChoice, chooseCandidates } from './query/choose-candidates.js';
import { allowedIn } from './query/filter-mask.js';
import { findDocuments } from './query/find-documents.js';
import { checkCandidateSource, givenSource } from './query/given-source.js';
import { different, lookUp } from './query/look-up.js';
import { readQueries } from './query/read-queries.js';
import { rerank } from './query/rerank.js';
import type { SearchMethod, SearchResult } from './query/search-result.js';

/** Hits of one call, of all its queries. */
const MOST_HITS = 2 ** 24;

/** `Index.searchBatch`: options, queries, candidates, exact scores, hits. */
export async function searchQueries<M extends Metadata, I extends readonly Include[]>(
  { device, snapshot, encoder, watch }: ReadingCall,
  given: readonly Query[] | TokenInput,
  options: SearchOptions<M, I>,
): Promise<SearchResult<M, I>[]> {
  const { k = 10, exact, candidates, signal, onProgress } = options;
  const filter = options.filter as Filter | undefined;
  const include = checkInclude(options.include);
  checkK(k);
  checkFlag(exact, 'exact');
  if (candidates !== undefined) checkCandidateSource(candidates);
  const compiled = filter === undefined ? null : compileFilter(filter);
  const wanted = candidateCount(snapshot, k, options);
  const source = candidates && givenSource(candidates, watch);
  const queries = await readQueries(given, snapshot.manifest.dim, encoder, signal);
  const count = queries.counts.length;
  // more hits than there are documents would be room for nothing
  const most = Math.min(k, snapshot.documents);
  if (snapshot.live === 0) return Array.from({ length: count }, noHits<M, I>);
  checkHits(count, most);
  const allowed = await allowedIn(snapshot, compiled, signal);
  const choice = chooseCandidates(snapshot, allowed.count, wanted, source);
  const found = await findDocuments(device, snapshot, queries, {
    k: most,
    choice,
    allowed,
    filter,
    text: queries.text,
    signal,
    onProgress,
  });
  const results: SearchResult<M, I>[] = [];
  for (let q = 0; q < count; q++) {
    const hits = await hitsOf<M>(snapshot, queries, q, found.top, include, signal);
    const how = {
      ...methodOf(choice),
      candidates: found.scored[q],
      passing: allowed.count,
      documents: snapshot.live,
    };
    results.push({ hits: hits as Hit<M, I>[], how });
  }
  return results;
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
  const numbers = await lookUp(snapshot, ids, 'ids', signal);
  const rows = await different(numbers, snapshot.documents, signal);
  const k = options.k ?? Math.max(1, rows.length);
  checkK(k);
  const sets = await readQueries([query], snapshot.manifest.dim, encoder, signal);
  const queries = new DeviceQueries(device, sets, { signal });
  try {
    const top = await rerank(device, snapshot, queries, [rows], k, signal);
    const hits = await hitsOf<M>(snapshot, sets, 0, top, include, signal);
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
