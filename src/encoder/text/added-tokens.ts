import { asItIs, type NormalizedText, part } from './normalized-text.js';
import type { Json } from './tokenizer-json.js';

/** A normalised stretch of text between added tokens, or one of these tokens itself. */
export interface Stretch extends NormalizedText {
  readonly isAdded: boolean;
  /** Which of the pieces it lies in that the text has before it is normalised. */
  readonly section: number;
}

/** What a tokenizer.json says of a token such as [SEP] that is found literally. */
interface AddedToken {
  readonly content: string;
  readonly special?: boolean;
  readonly normalized?: boolean;
  /** It swallows the whitespace before it, or after it. */
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

/**
 * A function that splits a text at a tokenizer.json's added tokens as the library does, in order:
 * some are found in the text, the rest once it is normalised, and a piece that is all of one is
 * that token however it came about.
 */
export function addedTokens(
  json: Json,
  normalize: (text: string) => NormalizedText,
): (text: string) => Generator<Stretch> {
  const known = new Map<string, AddedToken>();
  const [inText, inNormalized]: [string[], string[]] = [[], []];
  for (const token of (json.added_tokens ?? []) as readonly AddedToken[]) {
    known.set(token.content, token);
    if ((token.normalized ?? !token.special) && json.normalizer) {
      const { text } = normalize(token.content);
      known.set(text, token);
      inNormalized.push(text);
    } else inText.push(token.content);
  }
  const [before, after] = [anyOf(inText), anyOf(inNormalized)];
  return function* (text) {
    for (const [section, { text: written, at }] of pieces(text, before, known).entries()) {
      if (written === '') continue;
      if (known.has(written)) {
        yield { ...part(asItIs(written), 0, written.length, at), isAdded: true, section };
        continue;
      }
      const normalized = normalize(written);
      for (const piece of pieces(normalized.text, after, known)) {
        if (piece.text === '') continue;
        yield {
          ...part(normalized, piece.at, piece.at + piece.text.length, at),
          isAdded: known.has(piece.text),
          section,
        };
      }
    }
  };
}

interface Piece {
  text: string;
  at: number;
}

/**
 * What the pattern finds and what lies between, less the whitespace that tokens swallow; some may
 * be empty.
 */
function pieces(
  text: string,
  pattern: RegExp | undefined,
  known: ReadonlyMap<string, AddedToken>,
): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of pattern ? text.matchAll(pattern) : []) {
    if (match.index > at) found.push({ text: text.slice(at, match.index), at });
    at = match.index + match[0].length;
    found.push({ text: match[0], at: match.index });
  }
  if (at < text.length) found.push({ text: text.slice(at), at });
  for (const [i, piece] of found.entries()) {
    const { lstrip, rstrip } = known.get(piece.text) ?? {};
    if (lstrip && i > 0) found[i - 1].text = found[i - 1].text.trimEnd();
    if (!rstrip || i === found.length - 1) continue;
    const next = found[i + 1];
    const rest = next.text.trimStart();
    next.at += next.text.length - rest.length;
    next.text = rest;
  }
  return found;
}

/** The longest of the words wherever one begins. */
function anyOf(words: readonly string[]): RegExp | undefined {
  const longestFirst = words.filter((word) => word !== '').sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return undefined;
  return new RegExp(
    longestFirst.map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'),
    'g',
  );
}
