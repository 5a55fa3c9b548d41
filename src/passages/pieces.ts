import { graphemeBreaks, isGraphemeBreak, sentenceSegmenter, wordSegmenter } from './graphemes.js';
import type { Block, Heading } from './lines.js';
import { STRENGTH } from './strength.js';

/** A word with the spaces behind it: texts are cut between pieces. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** How good it is to cut before it. */
  readonly strength: number;
  /** Headings above it, outermost first. */
  readonly path: readonly Heading[];
}

/** Characters that are looked at in one go. */
const WINDOW = 4096;
/** Longer stretches without a space are cut into words, such as those of Chinese. */
const LONG = 32;

/** The pieces of a block, end to end. */
export function* piecesOf(text: string, block: Block): Generator<Piece, void, void> {
  const { lines, path } = block;
  const end = lines[lines.length - 1].end;
  const strengths = new Map(lines.map((line) => [line.start, line.strength]));
  let at = lines[0].start;
  let strength = lines[0].strength;
  for (let size = WINDOW; at < end; ) {
    const to = Math.min(end, at + size);
    const breaks = breaksIn(text, at, to, strengths, block.prose);
    // what is behind the last break may go on behind the window
    const whole = to === end;
    if (!whole && breaks.length === 0) {
      // a grapheme that fills the window
      size *= 2;
      continue;
    }
    size = WINDOW;
    const from = at;
    for (const [index, next] of breaks) {
      yield { start: at, end: from + index, strength, path };
      [at, strength] = [from + index, next];
    }
    if (!whole) continue;
    yield { start: at, end, strength, path };
    at = end;
  }
}

/** Places to cut at between two others, ascending, and how good each is. */
function breaksIn(
  text: string,
  from: number,
  to: number,
  lines: ReadonlyMap<number, number>,
  prose: boolean,
): [index: number, strength: number][] {
  const window = text.slice(from, to);
  const found = new Map<number, number>();
  /** Where a break comes before the spaces that a place is behind. */
  const moved = new Map<number, number>();
  let last = 0;
  const put = (index: number, strength: number): void => {
    if (index <= 0 || index >= window.length) return;
    if (!isGraphemeBreak(window, index, last)) return;
    found.set(index, strength);
    last = index;
  };
  for (const { index: begin, 0: spaces } of window.matchAll(/\s+/g)) {
    const behind = begin + spaces.length;
    // spaces before the first word belong to it, those at the end may go on
    if (begin === 0 || behind === window.length) continue;
    const newline = spaces.lastIndexOf('\n');
    const index = newline < 0 ? behind : begin + newline + 1;
    if (begin - last > LONG)
      for (const word of wordBreaks(window, last, begin)) put(word, STRENGTH.word);
    put(index, lines.get(from + index) ?? STRENGTH.space);
    moved.set(behind, index);
  }
  if (window.length - last > LONG)
    for (const word of wordBreaks(window, last, window.length)) put(word, STRENGTH.word);
  if (prose) strengthenSentences(window, found, moved);
  const graphemes = found.size === 0 && to - from >= WINDOW ? graphemeBreaks(window) : [];
  for (const index of graphemes.slice(-1)) found.set(index, STRENGTH.grapheme);
  return [...found].sort(([a], [b]) => a - b);
}

/** Where words begin between two places. */
function* wordBreaks(text: string, from: number, to: number): Generator<number, void, void> {
  for (const { index } of wordSegmenter.segment(text.slice(from, to)))
    if (index > 0 && !/\s/.test(text[from + index])) yield from + index;
}

/** Gives places where sentences begin their strength. */
function strengthenSentences(
  window: string,
  breaks: Map<number, number>,
  moved: ReadonlyMap<number, number>,
): void {
  // lines that are broken within a sentence do not end it
  const joined = window.replace(/[\r\n]/g, ' ');
  for (const { index } of sentenceSegmenter.segment(joined)) {
    const at = moved.get(index) ?? index;
    const strength = breaks.get(at);
    if (strength !== undefined) breaks.set(at, Math.max(strength, STRENGTH.sentence));
  }
}
