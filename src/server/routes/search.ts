import type {
  Include,
  Query,
  RerankOptions,
  SearchOptions,
} from '../../collection/options/options.js';
import type { Hit } from '../../collection/options/results.js';
import { type HighlightOptions, highlight } from '../../collection/query/highlight.js';
import { checkOptions, type OptionNames } from '../../known-options.js';
import { describeKind } from '../../value-kind.js';
import { bodyOf, collectionIn, type Exchange, json } from '../exchange.js';
import { badRequest } from '../problem.js';

/** Of one request: hits of one query, and of all of them. */
const MOST_HITS = 1000;
const MOST_QUERIES = 64;
const MOST_IDS = 10_000;

type Asked = Omit<SearchOptions, 'candidates' | 'signal' | 'onProgress'>;

interface SearchBody extends Asked {
  query?: Query | undefined;
  queries?: readonly Query[] | undefined;
  /** Shows of each text the part that matched, in place of all of it. */
  highlight?: boolean | Omit<HighlightOptions, 'query'> | undefined;
}

const SEARCH_BODY: OptionNames<SearchBody> = {
  query: true,
  queries: true,
  highlight: true,
  k: true,
  numCandidates: true,
  recall: true,
  mode: true,
  filter: true,
  include: true,
  groupBy: true,
  exact: true,
};

/** `Index.search` for `query`, `Index.searchBatch` for `queries`. */
export async function search(exchange: Exchange): Promise<Response> {
  const { index, searches } = collectionIn(exchange);
  const { signal, served } = exchange;
  const body = await bodyOf(exchange);
  checkOptions(body, SEARCH_BODY, 'search');
  const { query, queries, highlight: shown, ...asked } = body as SearchBody;
  const given = queriesOf(query, queries);
  checkHits(asked.k, given.length);
  const options: Asked = { ...asked };
  const include = asked.include ?? ['text', 'metadata'];
  // the part that matched is found by these
  if (shown && Array.isArray(include))
    options.include = [...new Set<Include>([...include, 'text', 'evidence'])];
  const results =
    typeof query === 'string'
      ? [await searches.search(query, options, signal)]
      : await served.work.pass(signal, () => index.searchBatch(given, { ...options, signal }));
  const answers = results.map(({ hits, how }, i) => {
    const text = given[i];
    const show = (hit: Hit): unknown => (shown ? highlighted(hit, include, shown, text) : hit);
    return { hits: hits.map(show), how };
  });
  return json(queries === undefined ? answers[0] : { results: answers });
}

/** `Index.rerank`: ids that were found elsewhere. */
export async function rerankIds(exchange: Exchange): Promise<Response> {
  const { index } = collectionIn(exchange);
  const { work } = exchange.served;
  const body = await bodyOf(exchange);
  checkOptions(body, { query: true, ids: true, k: true, include: true }, 'rerank');
  const { query, ids, ...asked } = body as { query: Query; ids: string[] } & RerankOptions;
  if (Array.isArray(ids) && ids.length > MOST_IDS)
    throw badRequest(`ids: expected at most ${MOST_IDS}, got ${ids.length}`);
  checkHits(asked.k ?? (Array.isArray(ids) ? ids.length : 0), 1);
  if (query === undefined) throw badRequest('query: expected a text or token vectors, got nothing');
  const options = { ...asked, signal: exchange.signal };
  return json(await work.pass(exchange.signal, () => index.rerank(query, ids, options)));
}

function queriesOf(query: Query | undefined, queries: readonly Query[] | undefined): Query[] {
  if ((query === undefined) === (queries === undefined))
    throw badRequest('expected query, a text or token vectors, or queries, an array of these');
  if (query !== undefined) return [query];
  if (!Array.isArray(queries) || queries.length === 0 || queries.length > MOST_QUERIES) {
    const got = Array.isArray(queries) ? queries.length : describeKind(queries);
    throw badRequest(`queries: expected an array of 1 to ${MOST_QUERIES}, got ${got}`);
  }
  return [...queries];
}

/** Answers are held whole: the library's own bound is that of one machine's memory. */
function checkHits(k: unknown, queries: number): void {
  const hits = typeof k === 'number' ? k : 10;
  if (hits * queries > MOST_HITS)
    throw badRequest(`k: expected at most ${MOST_HITS} hits in one answer, got ${hits * queries}`);
}

function highlighted(
  hit: Hit,
  include: readonly Include[],
  shown: true | Omit<HighlightOptions, 'query'>,
  query: Query,
): unknown {
  const { text, evidence, passages, ...rest } = hit;
  const options = shown === true ? {} : shown;
  const asked = typeof query === 'string' ? { ...options, query } : options;
  return {
    ...rest,
    ...(include.includes('text') && { text }),
    ...(include.includes('evidence') && { evidence }),
    ...(text !== undefined && { highlight: highlight(hit, asked) }),
    ...(passages && {
      passages: passages.map((one) => highlighted(one as Hit, include, shown, query)),
    }),
  };
}
