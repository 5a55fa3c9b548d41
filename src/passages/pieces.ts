import {
  graphemeSegmenter,
  isGraphemeBreak,
  SPACES,
  sentenceSegmenter,
  wordBreaks,
} from './graphemes.js';
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

/** Characters that are looked at in one go, more of them for a word that is longer. */
const WINDOW = 4096;
/** What is longer is cut wherever that is, be it one grapheme: no window is larger. */
const MOST_WINDOW = 65_536;
/** Longer stretches without a space are cut into words, such as those of Chinese. */
const LONG = 32;

/** Behind it words do not depend on what is before. */
const MARK = /[\s\p{P}\p{S}]/u;

/**
 * The pieces of a block, end to end. Between graphemes they end only within words of more than
 * `longest` characters.
 */
export function* piecesOf(
  text: string,
  block: Block,
  longest: number,
): Generator<Piece, void, void> {
  const { lines, path } = block;
  const end = lines[lines.length - 1].end;
  const strengths = new Map(lines.map((line) => [line.start, line.strength]));
  let at = lines[0].start;
  let strength = lines[0].strength;
  for (let size = WINDOW; at < end; ) {
    const to = Math.min(end, at + size);
    // what is behind the last break may go on behind the window
    const whole = to === end;
    let breaks = breaksIn(text, at, to, strengths, block.prose);
    if (!whole) breaks = knownBreaks(text.slice(at, to), breaks, Math.min(longest, MOST_WINDOW));
    if (!whole && breaks.length === 0) {
      // a word or a grapheme that fills the window
      if (size < MOST_WINDOW) {
        size *= 2;
        continue;
      }
      breaks = [[lastCharacter(text, to) - at, STRENGTH.grapheme]];
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

/** The beginning of the character that ends at a place, or goes on behind it. */
function lastCharacter(text: string, end: number): number {
  return (text.codePointAt(end - 2) ?? 0) > 0xffff ? end - 2 : end - 1;
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
  /** Behind the last spaces that words end at. */
  let stretch = 0;
  const put = (index: number, strength: number): void => {
    if (index <= last || index >= window.length) return;
    if (!isGraphemeBreak(window, index, last)) return;
    found.set(index, strength);
    last = index;
  };
  const putWords = (to: number): void => {
    // of the whole stretch: in Chinese or Thai a word depends on all that is around it
    if (to - stretch > LONG)
      for (const word of wordBreaks(window, stretch, to)) put(word, STRENGTH.word);
  };
  for (const { index: begin, 0: spaces } of window.matchAll(SPACES)) {
    const behind = begin + spaces.length;
    // spaces before the first word belong to it, those at the end may go on
    if (begin === 0 || behind === window.length) continue;
    const newline = spaces.lastIndexOf('\n');
    const index = newline < 0 ? behind : begin + newline + 1;
    if (!isGraphemeBreak(window, index, last)) continue;
    putWords(begin);
    put(index, lines.get(from + index) ?? STRENGTH.space);
    moved.set(behind, index);
    stretch = index;
  }
  putWords(window.length);
  if (prose) strengthenSentences(window, found, moved);
  return [...found].sort(([a], [b]) => a - b);
}

/** Of the breaks in a window those that do not depend on what is behind it. */
function knownBreaks(
  window: string,
  breaks: readonly [index: number, strength: number][],
  longest: number,
): [index: number, strength: number][] {
  // the last character may be half of one
  const sure = breaks.findLast(([at]) => at < window.length - 1 && MARK.test(window[at - 1]));
  const most = sure ? sure[0] : window.length - LONG;
  const known = breaks.filter(([at]) => at <= most);
  if (known.length > 0 || window.length < longest) return known;
  const last = graphemeSegmenter.segment(window).containing(window.length - 2)?.index ?? 0;
  return last === 0 ? [] : [[last, STRENGTH.grapheme]];
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
