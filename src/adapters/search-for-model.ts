import type { Index } from '../collection/index.js';
import type { Filter } from '../collection/metadata/filter.js';
import { checkInteger } from '../collection/options/check-options.js';
import type { SearchMode, SearchOptions } from '../collection/options/options.js';
import type { Hit } from '../collection/options/results.js';
import { highlight } from '../collection/query/highlight.js';
import { invalidArgument, isLemurError } from '../errors.js';
import { describeKind } from '../value-kind.js';

/** Characters of a text that are shown, so that ten of them leave room for the conversation. */
const SNIPPET = 500;
const DEFAULT_K = 5;
const MOST_K = 20;

/** What search does, for a language model. */
export const SEARCHES: string =
  'Finds the passages that answer a question best, by meaning and by words. Ask in a full ' +
  'sentence, or give names and error codes as they are.';

/** JSON Schema of what a model says to search. */
export const SEARCH_ARGUMENTS: Readonly<Record<'query' | 'k' | 'filter', object>> = {
  query: { type: 'string', description: 'The question, or what to look for.' },
  k: {
    type: 'integer',
    minimum: 1,
    maximum: MOST_K,
    description: `Results at most. Default ${DEFAULT_K}.`,
  },
  filter: {
    type: 'object',
    // any metadata; where this is missing, some take it for none
    additionalProperties: {},
    description: 'Only documents whose metadata passes, as {"year":{"$gte":2000}}.',
  },
};

/** A passage or a document that was found, as a language model gets it. */
export interface FoundText {
  /** Of the passage, or of the document. */
  id: string;
  /** The id of the document that it is of. */
  source: string;
  /** Where the document's metadata has one. */
  title?: string;
  /** First and last line of a passage in its document, from 1 on. */
  lines?: [number, number];
  /** As of a `Hit`: how near it is, 1 at most. */
  similarity: number;
  /** The part of its text that matched, of some 500 characters; '' where it has no text. */
  text: string;
}

/** Models that have nothing to say of an argument also say null. */
export interface ForModelOptions extends Pick<SearchOptions, 'groupBy' | 'signal'> {
  readonly k?: number | null | undefined;
  readonly mode?: SearchMode | null | undefined;
  readonly filter?: Filter | null | undefined;
}

/**
 * Searches as a language model asks: by meaning and words where the collection has both, by words
 * alone where there is no encoder and no mode is asked for. Rejects as `Index.search` does.
 */
export async function searchForModel(
  index: Index,
  query: string,
  { k: most, mode, filter, ...given }: ForModelOptions,
): Promise<FoundText[]> {
  checkAsked({ query, k: most });
  const k = most ?? DEFAULT_K;
  const { keywords, encoder } = index.stats();
  const ways: SearchMode = keywords === null ? 'meaning' : 'hybrid';
  const options: SearchOptions = {
    ...given,
    k,
    filter: filter ?? undefined,
    mode: mode ?? (encoder === null ? 'keywords' : ways),
    include: ['text', 'metadata', 'evidence'],
  };
  const { hits } = await index.search(query, options).catch((error) => {
    // the encoder is not to be had: words can be looked for all the same
    const lacking = isLemurError(error, 'missing-package') || isLemurError(error, 'offline');
    if (!lacking || mode || keywords === null) throw error;
    return index.search(query, { ...options, mode: 'keywords' });
  });
  return hits.map((hit) => foundText(hit, query));
}

/** Raises 'invalid-argument'. */
export function checkAsked({ query, k }: { query: unknown; k?: unknown }): void {
  if (typeof query !== 'string' || query.trim() === '')
    throw invalidArgument('query', `expected a text, got ${describeKind(query)}`);
  checkInteger(k ?? DEFAULT_K, 'k', 1, MOST_K);
}

/** What was found as a text: id, place and title in a line, then the part that matched. */
export function describeFound(found: readonly FoundText[]): string {
  if (found.length === 0) return 'No results.';
  const all = found.map(({ id, title, lines, similarity, text }, i) => {
    const called = title === undefined ? '' : ` "${title}"`;
    const place = lines ? `, lines ${lines[0]}-${lines[1]}` : '';
    const near = `(similarity ${similarity.toFixed(2)})`;
    return `${i + 1}. [${id}]${called}${place} ${near}\n${text || '(no text)'}`;
  });
  return all.join('\n\n');
}

function foundText(hit: Hit, query: string): FoundText {
  const { id, passage, metadata, similarity, text } = hit;
  return {
    id,
    source: passage?.source ?? id,
    ...(typeof metadata?.title === 'string' && { title: metadata.title }),
    ...(passage?.lines && { lines: [...passage.lines] }),
    similarity,
    text:
      text === undefined ? '' : highlight(hit, { length: SNIPPET, open: '', query }).text.trim(),
  };
}
