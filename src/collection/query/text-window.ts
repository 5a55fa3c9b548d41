import { graphemeSegmenter, wordSegmenter } from '../../passages/graphemes.js';
import { type Containing, nearSegments } from '../../passages/near-segments.js';
import type { Match } from './matched-words.js';

/** Characters before the first match, so that it is seen where it stands. */
const BEFORE = 24;

/** A part of a text. */
interface Bounds {
  readonly from: number;
  readonly to: number;
  /** Code units of it at most. */
  readonly length: number;
}

/**
 * The part of a text between two places, `length` code units at most, whose matches are strongest
 * in all: it begins and ends with whole words, at graphemes where one word is longer, and has one
 * grapheme at least.
 */
export function bestWindow(
  text: string,
  matches: readonly Match[],
  bounds: Bounds,
): [start: number, end: number] {
  const edges = new WordEdges(text);
  const start = bestStart(edges, matches, bounds);
  const { to, length } = bounds;
  const end = to - start <= length ? to : edges.before(start + length, start);
  return trimmed(text, start, end, edges);
}

function bestStart(
  edges: WordEdges,
  matches: readonly Match[],
  { from, to, length }: Bounds,
): number {
  let start = from;
  if (to - from <= length) return start;
  const inside = matches.filter((match) => match.start >= from && match.end <= to);
  let most = 0;
  for (const first of inside) {
    const least = Math.max(from, Math.min(first.start - BEFORE, to - length));
    const begin = least === from ? from : edges.from(least, first.start);
    // a match that is too long is better than none
    let sum = first.strength / 2;
    for (const match of inside)
      if (match.start >= begin && match.end <= begin + length) sum += match.strength;
    if (sum > most) [start, most] = [begin, sum];
  }
  return start;
}

/** Places of a text that are between words. */
class WordEdges {
  readonly #words: Containing;
  readonly #graphemes: Containing;

  constructor(text: string) {
    this.#words = nearSegments(wordSegmenter, text);
    this.#graphemes = nearSegments(graphemeSegmenter, text);
  }

  /** Whether a place within the text is between graphemes. */
  isGraphemeBreak(at: number): boolean {
    return (this.#graphemes.containing(at)?.index ?? at) === at;
  }

  /** The first one from `at` on; `most`, which is one, if there is none before. */
  from(at: number, most: number): number {
    for (let next = at; next < most; ) {
      const word = this.#words.containing(next);
      if (!word) break;
      if (word.index === next && this.isGraphemeBreak(next)) return next;
      next = word.index + word.segment.length;
    }
    return most;
  }

  /** The last one up to `at` that is behind `least`; within a word that is longer a grapheme's. */
  before(at: number, least: number): number {
    for (let end = at; end > least; end--) {
      const { index } = this.#words.containing(end) ?? { index: end };
      if (index > least && this.isGraphemeBreak(index)) return index;
      end = index;
    }
    const cut = this.#graphemes.containing(at)?.index ?? at;
    if (cut > least) return cut;
    const first = this.#graphemes.containing(least);
    return first ? first.index + first.segment.length : at;
  }
}

/** Without the spaces around it. */
function trimmed(
  text: string,
  start: number,
  end: number,
  edges: WordEdges,
): [start: number, end: number] {
  const part = text.slice(start, end);
  const begin = start + part.length - part.trimStart().length;
  const last = start + part.trimEnd().length;
  if (last <= begin) return [start, end];
  return [edges.isGraphemeBreak(begin) ? begin : start, edges.isGraphemeBreak(last) ? last : end];
}
