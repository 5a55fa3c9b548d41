import type { Evidence } from '../collection/options/results.js';
import { marked, shown } from './print.js';

/** A word of a document that a query token matched best. */
interface Match {
  start: number;
  end: number;
  /** The largest inner product of those that meet here. */
  score: number;
}

/** A short word of lower case says little, whatever it matched. */
const LITTLE = /^\p{Ll}{1,3}$/u;
const WORD = /[\p{L}\p{N}]/u;
/**
 * Matches weaker than this part of the best are not marked: every query token matches something.
 */
const STRONG = 0.7;

/**
 * The words of a text that matched words of the query well, in order. Pieces of words are widened
 * to the whole word.
 */
function matches(text: string, query: string, evidence: readonly Evidence[]): Match[] {
  const words = new Map<number, Match>();
  for (const { querySpan, span, score } of evidence) {
    if (!span || (querySpan && !WORD.test(query.slice(...querySpan)))) continue;
    const start =
      span[0] -
      (/[\p{L}\p{N}]*$/u.exec(text.slice(Math.max(0, span[0] - 40), span[0]))?.[0].length ?? 0);
    const end =
      span[1] + (/^[\p{L}\p{N}]*/u.exec(text.slice(span[1], span[1] + 40))?.[0].length ?? 0);
    const word = text.slice(start, end);
    if (!WORD.test(word) || LITTLE.test(word)) continue;
    const before = words.get(start);
    if (!before || before.score < score) words.set(start, { start, end, score });
  }
  const best = Math.max(0, ...[...words.values()].map(({ score }) => score));
  return [...words.values()]
    .filter(({ score }) => score >= STRONG * best)
    .sort((a, b) => a.start - b.start);
}

/**
 * A piece of `text` between `from` and `to`, `length` long at most, where the best matches are,
 * these marked; made to be printed.
 */
export function markedSnippet(
  text: string,
  query: string,
  evidence: readonly Evidence[],
  {
    from = 0,
    to = text.length,
    length = 120,
  }: { from?: number; to?: number; length?: number } = {},
): string {
  const all = matches(text, query, evidence).filter(({ start, end }) => start >= from && end <= to);
  const begin = beginning(text, all, from, to, length);
  const cut = to - begin <= length ? to : wordEnd(text, begin, begin + length);
  let out = begin > from ? '… ' : '';
  let at = begin;
  for (const { start, end } of all) {
    if (start < at || end > cut) continue;
    out += plain(text.slice(at, start)) + marked(text.slice(start, end));
    at = end;
  }
  return `${out}${plain(text.slice(at, cut))}${cut < to ? ' …' : ''}`.trim();
}

/** Where the piece with the most begins: at a word, a few before the first match of it. */
function beginning(
  text: string,
  all: readonly Match[],
  from: number,
  to: number,
  length: number,
): number {
  if (to - from <= length) return from;
  let best = from;
  let most = 0;
  for (const { start: first } of all) {
    const start = Math.max(from, text.lastIndexOf(' ', Math.max(0, first - 24)) + 1);
    const sum = all.reduce(
      (total, { start: s, end, score }) =>
        s >= start && end <= start + length ? total + score : total,
      0,
    );
    if (sum > most) [best, most] = [start, sum];
  }
  return best;
}

function wordEnd(text: string, from: number, to: number): number {
  const space = text.lastIndexOf(' ', to);
  return space > from ? space : to;
}

function plain(text: string): string {
  return shown(text.replace(/\s+/g, ' '));
}
