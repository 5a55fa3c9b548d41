import { wordsOf } from './words.js';

/** What counts of a query: so many code units, and so many different words, the first ones. */
const MOST_TEXT = 1 << 16;
const MOST_WORDS = 1024;

/** A word of a query. */
export interface QueryWord {
  readonly term: string;
  /** How often it comes. */
  readonly count: number;
  /** Number of its first place among the query's words, and where that is in the text. */
  readonly number: number;
  readonly span: readonly [number, number];
}

/** The different words of a query, in the order of their terms. */
export function queryWords(text: string): QueryWord[] {
  const words = new Map<string, QueryWord>();
  let number = 0;
  for (const { term, start, end } of wordsOf(text.slice(0, MOST_TEXT), 'query')) {
    const known = words.get(term);
    if (known) words.set(term, { ...known, count: known.count + 1 });
    else if (words.size < MOST_WORDS)
      words.set(term, { term, count: 1, number, span: [start, end] });
    number++;
  }
  return [...words.values()].sort((a, b) => (a.term < b.term ? -1 : 1));
}
