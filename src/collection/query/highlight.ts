import { invalidArgument } from '../../errors.js';
import { checkOptions, type OptionNames } from '../../known-options.js';
import { describeKind, showValue } from '../../value-kind.js';
import { checkInteger } from '../options/check-options.js';
import type { Evidence, Passage } from '../options/results.js';
import { type Match, matchedWords } from './matched-words.js';
import { bestWindow } from './text-window.js';

/** How a text is shown. */
export interface HighlightOptions {
  /** UTF-16 code units of what is shown at most, marks aside. Default 160. */
  length?: number | undefined;
  /** What stands before words that matched. Default `**`. */
  open?: string | undefined;
  /** What stands behind them. Default: as `open`. */
  close?: string | undefined;
  /**
   * The text of the query: what matched its punctuation is not marked then, and of a hybrid hit
   * names and codes of the query are.
   */
  query?: string | undefined;
}

/** A part of what is shown. */
export interface HighlightPart {
  /** As it stands in the hit's text. */
  text: string;
  /** Of words that matched: 1 for the strongest of the text, down to .7; 0 for all else. */
  strength: number;
}

/** The part of a hit's text that says best why it was found. */
export interface Highlight {
  /** With what matched between `open` and `close`, and `…` where more is before it or behind it. */
  text: string;
  /** The same in parts, without marks, for who marks them in another way. */
  parts: HighlightPart[];
  /** Where it stands in the hit's text: [start, end) in UTF-16 code units. */
  span: [number, number];
}

const NAMES: OptionNames<HighlightOptions> = {
  length: true,
  open: true,
  close: true,
  query: true,
};

/**
 * Shows why a hit was found: the part of its text with the strongest matches, whole words, those
 * side by side marked as one. It never cuts a grapheme of up to
 * 512 code units. The hit needs its text, and to mark
 * anything its evidence: `include: ['text', 'evidence']`. Escapes nothing: for HTML take `parts`.
 * Raises 'invalid-argument'.
 *
 * @example
 * const { hits } = await index.search(question, { include: ['text', 'evidence'] });
 * for (const hit of hits) console.log(highlight(hit, { query: question }).text);
 */
export function highlight(
  hit: {
    readonly text?: string | undefined;
    readonly evidence?: readonly Evidence[] | undefined;
    readonly passage?: Passage | undefined;
    readonly parts?: { readonly keywords: number } | undefined;
  },
  options: HighlightOptions = {},
): Highlight {
  checkOptions(options, NAMES, 'highlight');
  const { length = 160, open = '**', close = open, query } = options;
  checkInteger(length, 'length', 1);
  for (const [name, value] of Object.entries({ open, close, query: query ?? '' }))
    if (typeof value !== 'string')
      throw invalidArgument(name, `expected a string, got ${showValue(value)}`);
  const { text, evidence = [], passage, parts: scores } = Object(hit) as typeof hit;
  if (typeof text !== 'string')
    throw invalidArgument('highlight', `expected a hit with its text, got ${describeKind(text)}`);
  checkEvidence(evidence);
  // the evidence of a hybrid hit is that of its meaning
  const matches = matchedWords(text, evidence, query, scores !== undefined);
  // headings of a passage only where nothing else matched
  const context = Math.max(0, Math.min(passage?.context ?? 0, text.length));
  const from = matches.length === 0 || matches.some(({ end }) => end > context) ? context : 0;
  const span = bestWindow(text, matches, { from, to: text.length, length });
  const parts = partsOf(text, matches, span);
  const marked = parts.map((part) =>
    part.strength > 0 ? `${open}${part.text}${close}` : part.text,
  );
  const rest = text.slice(span[1]).trim() !== '';
  const before = text.slice(from, span[0]).trim() !== '';
  return { text: `${before ? '… ' : ''}${marked.join('')}${rest ? ' …' : ''}`, parts, span };
}

/** Raises 'invalid-argument' for what no search gives. */
function checkEvidence(evidence: unknown): void {
  const expected = 'expected the evidence of a hit';
  if (!Array.isArray(evidence))
    throw invalidArgument('highlight', `${expected}, got ${describeKind(evidence)}`);
  const wrong = evidence.findIndex((one) => {
    const { span, querySpan, score } = Object(one) as Partial<Evidence>;
    const areSpans = [span, querySpan].every((it) => it === undefined || isSpan(it));
    return !areSpans || !Number.isFinite(score);
  });
  if (wrong >= 0) throw invalidArgument('highlight', `${expected}, which number ${wrong} is not`);
}

function isSpan(span: unknown): boolean {
  return Array.isArray(span) && span.length === 2 && span.every((at) => Number.isInteger(at));
}

/** Where the strongest of such parts is, the first of equals; where they begin, if none matched. */
export function strongestPlace(parts: readonly HighlightPart[], start: number): number {
  let [best, most, at] = [start, 0, start];
  for (const { text, strength } of parts) {
    if (strength > most) [best, most] = [at, strength];
    at += text.length;
  }
  return best;
}

/** What is between two places, cut where matches begin and end. */
export function partsOf(
  text: string,
  matches: readonly Match[],
  [from, to]: readonly [number, number],
): HighlightPart[] {
  const parts: HighlightPart[] = [];
  let at = from;
  const put = (end: number, strength: number): void => {
    if (end > at) parts.push({ text: text.slice(at, end), strength });
    at = Math.max(at, end);
  };
  for (const { start, end, strength } of matches) {
    if (end <= at || start >= to) continue;
    put(start, 0);
    put(Math.min(end, to), strength);
  }
  put(to, 0);
  return parts;
}
