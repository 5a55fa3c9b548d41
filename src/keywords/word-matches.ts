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

/**
 * For each different word of the query that a text has, in the query's order, its first place there
 * and what it adds to the score.
 */
export async function wordMatches(
  { words, statistics }: WeightedQuery,
  text: string,
  signal: AbortSignal | undefined,
): Promise<WordMatch[]> {
  const step = stepPacer(signal);
  const wanted = new Set(words.map(({ term }) => term));
  const places = new Map<string, { count: number; token: number; span: [number, number] }>();
  let length = 0;
  for (const { term, start, end } of wordsOf(text.slice(0, MOST_TEXT), 'document')) {
    const place = places.get(term);
    if (place) place.count++;
    else if (wanted.has(term)) places.set(term, { count: 1, token: length, span: [start, end] });
    length++;
    const wait = length % 4 === 0 && step();
    if (wait) await wait;
  }
  return words
    .slice()
    .sort((a, b) => a.number - b.number)
    .flatMap(({ term, weight, number, span: querySpan }) => {
      const place = places.get(term);
      if (!place) return [];
      const { count, token, span } = place;
      const score = weight * wordShare(count, length, statistics);
      return [{ queryToken: number, querySpan, token, span, score }];
    });
}
