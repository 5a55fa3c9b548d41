import { stepPacer } from '../pacer.js';
import { wordShare } from './bm25.js';
import { MOST_TEXT } from './build-postings.js';
import type { WeightedQuery } from './score-keywords.js';
import { wordsOf } from './words.js';

/** A word of a query that a text has. */
export interface WordMatch {
  /** Number of the word in the query, and where it is there. */
  readonly queryToken: number;
  readonly querySpan: readonly [number, number];
  /** The same of its first place in the text. */
  readonly token: number;
  readonly span: readonly [number, number];
  /** What it adds to the score. */
  readonly score: number;
}

/** Where a word of a query is in a text. */
interface Place {
  count: number;
  token: number;
  span: WordMatch['span'];
  /** Of a part of a name: whether it is there as one. */
  isInName: boolean;
}

/**
 * For each different word of the query that a text has, in the query's order, its first place there
 * and what it adds to the score. Of a part of a name that the text has whole it is its place in
 * the name, so that this is what is shown.
 */
export async function wordMatches(
  { words, statistics }: WeightedQuery,
  text: string,
  signal: AbortSignal | undefined,
): Promise<WordMatch[]> {
  const step = stepPacer(signal);
  const wanted = new Set(words.map(({ term }) => term));
  const names = namesOf(words);
  const places = new Map<string, Place>();
  let length = 0;
  for (const { term, start, end } of wordsOf(text.slice(0, MOST_TEXT), 'document')) {
    const span = [start, end] as const;
    const place = places.get(term);
    const name = places.get(names.get(term) ?? '');
    const isInName = name !== undefined && isWithin(span, name.span);
    if (place) {
      place.count++;
      if (isInName && !place.isInName) Object.assign(place, { token: length, span, isInName });
    } else if (wanted.has(term)) places.set(term, { count: 1, token: length, span, isInName });
    length++;
    const wait = length % 4 === 0 && step();
    if (wait) await wait;
  }
  return inOrder(words).flatMap(({ term, weight, number, span: querySpan }) => {
    const place = places.get(term);
    if (!place) return [];
    const { count, token, span } = place;
    const score = weight * wordShare(count, length, statistics);
    return [{ queryToken: number, querySpan, token, span, score }];
  });
}

/** As they come in the query. */
function inOrder(words: WeightedQuery['words']): WeightedQuery['words'] {
  return words.slice().sort((a, b) => a.number - b.number);
}

/** The names that words of a query are parts of there, by their terms. */
function namesOf(words: WeightedQuery['words']): Map<string, string> {
  const names = new Map<string, string>();
  let name: WeightedQuery['words'][number] | undefined;
  // a name comes before its parts
  for (const word of inOrder(words))
    if (name && isWithin(word.span, name.span)) names.set(word.term, name.term);
    else name = word;
  return names;
}

function isWithin([from, to]: WordMatch['span'], [start, end]: WordMatch['span']): boolean {
  return from >= start && to <= end;
}
