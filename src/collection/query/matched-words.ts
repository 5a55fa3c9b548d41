import { graphemeSegmenter, wordSegmenter } from '../../passages/graphemes.js';
import { nearSegments } from '../../passages/near-segments.js';
import type { Evidence } from '../options/results.js';
import { nameMatches } from './name-matches.js';

/** Words of a text that matched the query, side by side. */
export interface Match {
  readonly start: number;
  readonly end: number;
  /** Of the best of the words, 1 for the strongest of the text. */
  readonly strength: number;
}

/** A short word of lower case says little, whatever it matched. */
const LITTLE = /^\p{Ll}{1,3}$/u;
const WORD = /[\p{L}\p{N}]/u;
/** What may stand between words of one match: no end of a line. */
const BETWEEN = /^(?:[^\S\r\n]|[-\u2010\u2011])*$/;
/**
 * Matches weaker than this part of the best are left out: every token of the query matches
 * something.
 */
const STRONG = 0.7;

/** Tokens of a query that are looked at: the strongest, so that a hit is shown in one go. */
const MOST_TOKENS = 128;
/** Characters of a word that are looked at. */
const MOST_CHARACTERS = 1024;

/**
 * The words of a text that matched words of the query well, in order: whole ones, where a token is
 * a part, and those side by side as one. `query`: its text, so that its marks do not count; `names`
 * are looked for as well then, as a search by keywords finds them.
 */
export function matchedWords(
  text: string,
  evidence: readonly Evidence[],
  query?: string | undefined,
  names = false,
): Match[] {
  const words = new Map<number, Match>();
  const segments = nearSegments(wordSegmenter, text);
  const graphemes = nearSegments(graphemeSegmenter, text);
  for (const { querySpan, span, score } of strongest(evidence)) {
    if (!span || span[1] <= span[0] || !(score > 0)) continue;
    if (query !== undefined && querySpan && !WORD.test(query.slice(...querySpan))) continue;
    const first = segments.containing(span[0])?.index ?? span[0];
    const start = graphemes.containing(first)?.index ?? first;
    const lastWord = segments.containing(span[1] - 1);
    const last = lastWord ? lastWord.index + lastWord.segment.length : span[1];
    const grapheme = graphemes.containing(last - 1);
    const end = grapheme ? grapheme.index + grapheme.segment.length : last;
    // a token that stands for more is none
    const word = text.slice(start, Math.min(end, start + MOST_CHARACTERS));
    if (!WORD.test(word) || LITTLE.test(word)) continue;
    const before = words.get(start);
    const [longest, best] = [
      Math.max(before?.end ?? 0, end),
      Math.max(before?.strength ?? 0, score),
    ];
    words.set(start, { start, end: longest, strength: best });
  }
  const named = names && query !== undefined ? nameMatches(text, query) : [];
  let best = 0;
  for (const { strength } of words.values()) best = Math.max(best, strength);
  const strong = [...words.values()]
    .filter(({ strength }) => strength >= STRONG * best)
    .map((word) => ({ ...word, strength: word.strength / best }))
    .concat(named.map(([start, end]) => ({ start, end, strength: 1 })))
    .sort((a, b) => a.start - b.start);
  return joined(text, strong);
}

/** All of it, or the best of very much. */
function strongest(evidence: readonly Evidence[]): readonly Evidence[] {
  if (evidence.length <= MOST_TOKENS) return evidence;
  return [...evidence].sort((a, b) => b.score - a.score).slice(0, MOST_TOKENS);
}

function joined(text: string, words: readonly Match[]): Match[] {
  const out: Match[] = [];
  for (const word of words) {
    const before = out[out.length - 1];
    // slices of what overlaps are empty
    if (before && BETWEEN.test(text.slice(before.end, word.start))) {
      const { start, end, strength } = out.pop() as Match;
      out.push({
        start,
        end: Math.max(end, word.end),
        strength: Math.max(strength, word.strength),
      });
    } else out.push(word);
  }
  return out;
}
