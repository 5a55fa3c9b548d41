import { stepPacer } from '../pacer.js';
import { wordsOf } from './words.js';

/** What counts of a query: so many code units, and so many different words, the first ones. */
const MOST_TEXT = 1 << 16;
const MOST_WORDS = 1024;

/** A word of a query. */
export interface QueryWord {
  readonly term: string;
  /** The same for segments of an earlier version. */
  readonly earlier: string;
  /** How often it comes. */
  readonly count: number;
  /** Number of its first place among the query's words, and where that is in the text. */
  readonly number: number;
  readonly span: readonly [number, number];
}

/** The different words of a query, by their terms. Rejects with the signal's reason. */
export async function queryWords(
  text: string,
  signal: AbortSignal | undefined,
): Promise<QueryWord[]> {
  const step = stepPacer(signal);
  const words = new Map<string, QueryWord>();
  let number = 0;
  for (const { term, earlier = term, start, end } of wordsOf(text.slice(0, MOST_TEXT), 'query')) {
    const known = words.get(term);
    if (known) words.set(term, { ...known, count: known.count + 1 });
    else if (words.size < MOST_WORDS)
      words.set(term, { term, earlier, count: 1, number, span: [start, end] });
    number++;
    const wait = step();
    if (wait) await wait;
  }
  return [...words.values()].sort((a, b) => (a.term < b.term ? -1 : 1));
}
