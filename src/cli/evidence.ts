import type { Evidence } from '../collection/options/results.js';
import { partsOf, strongestPlace } from '../collection/query/highlight.js';
import { type Match, matchedWords } from '../collection/query/matched-words.js';
import { bestWindow } from '../collection/query/text-window.js';
import { marked, shown } from './print.js';
import { columnsOf } from './text-layout.js';

/** A part of a text, and the columns that it may take. */
export interface SnippetRange {
  from?: number;
  to?: number;
  columns?: number;
  /** Whether names of the query are looked for: of a hybrid hit evidence is that of its meaning. */
  names?: boolean;
}

/** A piece of a text as it is printed, and where its strongest word is in the text. */
export interface Snippet {
  text: string;
  best: number;
}

/**
 * A piece of a text, a line of so many columns at most, where the best matches are, these marked;
 * made to be printed. It begins and ends with whole words.
 */
export function markedSnippet(
  text: string,
  query: string,
  evidence: readonly Evidence[],
  { from = 0, to = text.length, columns = 120, names = false }: SnippetRange = {},
): Snippet {
  const matches = matchedWords(text, evidence, query, names);
  for (let length = columns; ; ) {
    const snippet = snippetOf(text, matches, from, to, length);
    const wide = columnsOf(snippet.plain);
    if (wide <= columns || length <= 1) return { text: snippet.marked, best: snippet.best };
    // some characters take two columns, or are shown as more than themselves
    length = Math.max(1, Math.min(length - 1, Math.floor((length * columns) / wide)));
  }
}

function snippetOf(
  text: string,
  matches: readonly Match[],
  from: number,
  to: number,
  length: number,
): { marked: string; plain: string; best: number } {
  const [start, end] = bestWindow(text, matches, { from, to, length });
  const before = text.slice(from, start).trim() === '' ? '' : '… ';
  const behind = text.slice(end, to).trim() === '' ? '' : ' …';
  const found = partsOf(text, matches, [start, end]);
  const parts = found.map((part) => ({
    text: part.text.replace(/\s+/g, ' '),
    strong: part.strength > 0,
  }));
  const line = (show: (part: { text: string; strong: boolean }) => string): string =>
    `${before}${parts.map(show).join('').trim()}${behind}`;
  return {
    marked: line((part) => (part.strong ? marked(part.text) : shown(part.text))),
    // as wide as where marks are characters
    plain: line((part) => (part.strong ? `*${shown(part.text)}*` : shown(part.text))),
    best: strongestPlace(found, start),
  };
}
