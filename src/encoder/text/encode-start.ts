import { LemurError } from '../../errors.js';
import { type Json, modelKind, stepsOf } from './tokenizer-json.js';

/** What is used of a tokenizer. */
export interface TokenSource {
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { ids: number[]; tokens: string[] };
  token_to_id(token: string): number | undefined;
}

/** The tokens of what was read of a text, from its beginning. */
export interface EncodedStart {
  readonly ids: number[];
  readonly tokens: string[];
  readonly read: string;
}

/** Tokens before a cut that are not relied on. */
const NEAR_CUT = 16;
/**
 * Characters of a text, as many for each token that is wanted, and at least so many, that are read
 * at most.
 */
const MOST_READ = { eachToken: 64, least: 40_960 } as const;
/** Characters that are searched for a place to cut. */
const SEARCHED = 1024;
/** Characters behind which any place will do. */
const FLOOD = 32_768;
/** Cuts between characters that must agree. */
const CUTS = 4;

/** What is known of a tokenizer's tokens. */
export interface TokenShapes {
  /** Whether tokens go on after a space within them. */
  readonly crossSpaces: boolean;
  /** Characters of the longest. */
  readonly longest: number;
  /**
   * Of WordPiece, whose tokens depend on the whole word: characters of a word beyond which it is
   * unknown.
   */
  readonly longestWord: number | undefined;
}

/**
 * At least the first `maxTokens` tokens. Of a long text only a beginning is read, if its tokens are
 * those that the whole text begins with: cut where a space comes after a word, which may be part of
 * a token with what follows but hardly ever with what is before it; and some more tokens than
 * needed before that. Where there is no such place, as in Chinese, or tokens go across spaces, it
 * is cut between characters, more tokens than the longest has characters before that, and four such
 * cuts must agree: what comes before a token's end does not depend on what comes after it, and some
 * token ends near every place. Of a text with few tokens in many characters, such as spaces, 64
 * characters for each token that is wanted and at least 40,960 are read.
 */
export function encodeStart(
  source: TokenSource,
  text: string,
  maxTokens: number,
  { crossSpaces, longest, longestWord }: TokenShapes,
): EncodedStart {
  const encode = (read: string): EncodedStart => ({ ...encodeWhole(source, read), read });
  const enough = maxTokens + NEAR_CUT;
  const more = maxTokens + Math.max(NEAR_CUT, longest);
  const most = Math.max(MOST_READ.least, MOST_READ.eachToken * enough);
  // beyond half of what is read at most, all of that is read: once, not twice
  for (let length = 2 * enough; length < Math.min(text.length, most / 2); length *= 4) {
    const end = crossSpaces ? 0 : lastWordEnd(text, length);
    const start = end > 0 ? encode(text.slice(0, end)) : undefined;
    if (start && start.ids.length >= enough) return start;
    if (start) continue;
    const cuts = lastJoints(text, length, longestWord);
    if (cuts.length < CUTS) continue;
    const [first, ...others] = cuts;
    const found = encode(text.slice(0, first));
    const isSame = (ids: readonly number[]): boolean =>
      found.ids.every((id, i) => i >= maxTokens || id === ids[i]);
    if (found.ids.length >= more && others.every((cut) => isSame(encode(text.slice(0, cut)).ids)))
      return found;
  }
  for (let length = most; ; length >>= 1) {
    try {
      return encode(
        length >= text.length
          ? text
          : text.slice(0, isWithinPair(text, length) ? length - 1 : length),
      );
    } catch (error) {
      // what the library's stack has no room for is a flood of characters that it does not know
      if (length < FLOOD) throw error;
    }
  }
}

/**
 * The last place up to `length` with a space after a letter, digit or punctuation mark, or 0. Other
 * characters may become spaces themselves, and with the one after them a token.
 */
function lastWordEnd(text: string, length: number): number {
  const least = Math.max(1, length - SEARCHED);
  for (let at = text.lastIndexOf(' ', length); at >= least; at = text.lastIndexOf(' ', at - 1)) {
    if (/[\p{L}\p{N}\p{P}]$/u.test(text.slice(Math.max(0, at - 2), at))) return at;
  }
  return 0;
}

/**
 * The last places up to `length` between two characters that normalise by themselves and are no
 * spaces, the last first. Where a thousand characters have none, between any that are no spaces;
 * far into a text that is all space, between any.
 */
function lastJoints(text: string, length: number, longestWord: number | undefined): number[] {
  const keepsWord = (before: string, after: string, at: number): boolean =>
    longestWord === undefined ||
    WORD_END.test(before + after) ||
    isUnknownWord(text, at, longestWord);
  const strict = joints(
    text,
    length,
    (before, after, at) => isJoint(before, after) && keepsWord(before, after, at),
  );
  if (strict.length === CUTS) return strict;
  const marks = joints(
    text,
    length,
    (before, after, at) => !/\s/u.test(before + after) && keepsWord(before, after, at),
  );
  return marks.length === CUTS || length < FLOOD ? marks : joints(text, length, () => true);
}

function joints(
  text: string,
  length: number,
  fits: (before: string, after: string, at: number) => boolean,
): number[] {
  const found: number[] = [];
  for (let at = length; at > Math.max(1, length - SEARCHED) && found.length < CUTS; at--) {
    if (isWithinPair(text, at)) continue;
    const before = /.$/su.exec(text.slice(Math.max(0, at - 2), at))?.[0] ?? '';
    if (fits(before, String.fromCodePoint(text.codePointAt(at) ?? 0), at)) found.push(at);
  }
  return found;
}

/** Where BERT's words begin and end: spaces, punctuation, Chinese. */
const WORD_END = /[\s\p{P}!-/:-@[-`{-~\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/u;

/**
 * Whether what is before a place is surely a part of a word that is too long to be known, even if
 * accents and controls are taken off.
 */
function isUnknownWord(text: string, at: number, longestWord: number): boolean {
  return at >= 4 * longestWord && !WORD_END.test(text.slice(at - 4 * longestWord, at));
}

function isJoint(before: string, after: string): boolean {
  if (/[\s\p{C}]/u.test(before + after) || /^\p{M}/u.test(after.normalize('NFKD'))) return false;
  return (['NFC', 'NFKC'] as const).every(
    (form) => (before + after).normalize(form) === before.normalize(form) + after.normalize(form),
  );
}

/**
 * Raises 'unsupported' for what the library's stack has no room for: a hundred thousand tokens in
 * one word.
 */
function encodeWhole(source: TokenSource, text: string): { ids: number[]; tokens: string[] } {
  try {
    return source.encode(text, { add_special_tokens: false });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message =
      `text: the tokenizer has no room for ${text.length} characters without a ` +
      'place to cut them, expected fewer';
    throw new LemurError('unsupported', message, { where: 'text' }, { cause });
  }
}

function isWithinPair(text: string, at: number): boolean {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

/** The shapes of the tokens of a parsed tokenizer.json. */
export function tokenShapes(json: object): TokenShapes {
  const { model, added_tokens } = json as Json;
  const added = ((added_tokens ?? []) as { content: string }[]).map(({ content }) => content);
  let longest = 0;
  for (const token of [...added, ...vocabularyOf(model)]) longest = Math.max(longest, token.length);
  const { max_input_chars_per_word: limit = 100 } = (model ?? {}) as {
    max_input_chars_per_word?: number;
  };
  return {
    crossSpaces: tokensCrossSpaces(json),
    longest,
    longestWord: modelKind(model) === 'WordPiece' ? limit : undefined,
  };
}

function vocabularyOf(model: unknown): string[] {
  const { vocab } = (model ?? {}) as Json;
  return Array.isArray(vocab)
    ? vocab.map(([token]: [string, number]) => token)
    : Object.keys((vocab ?? {}) as object);
}

/**
 * Whether the vocabulary of a parsed tokenizer.json has tokens with a space after something else,
 * such as those of phrases.
 */
export function tokensCrossSpaces(json: object): boolean {
  const { model, pre_tokenizer, added_tokens } = json as Json;
  if (((added_tokens ?? []) as { content: string }[]).some(({ content }) => /\S\s/.test(content)))
    return true;
  const kind = modelKind(model);
  if (kind !== 'BPE' && kind !== 'Unigram') return false;
  const splitters = stepsOf(pre_tokenizer, 'pretokenizers').map(({ type }) => type);
  if (splitters[0] === 'WhitespaceSplit') return false;
  // Ċ, č and ĉ are line ends and tabs, which come before spaces in tokens of nothing but whitespace
  const crossing = splitters.includes('ByteLevel') ? /[^ĠĊčĉ]Ġ/ : /[^\s▁][ ▁]/;
  return vocabularyOf(model).some((token) => crossing.test(token));
}
