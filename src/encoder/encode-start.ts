import { type Json, modelKind, stepsOf } from './tokenizer-json.js';

/** What is used of a tokenizer. */
export interface TokenSource {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[]; tokens: string[] };
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
 * At least the first `maxTokens` tokens. Of a long text only a beginning is read, if its tokens are those that the whole text begins with: cut where
 * a space comes after a word, which may be part of a token with what follows but hardly ever with what is before it; and some more tokens than needed
 * before that. A text whose tokens go across spaces (`tokensCrossSpaces`) is read as a whole.
 */
export function encodeStart(source: TokenSource, text: string, maxTokens: number, crossSpaces: boolean): EncodedStart {
  const enough = maxTokens + NEAR_CUT;
  for (let length = 16 * enough; length < text.length && !crossSpaces; length *= 4) {
    const end = lastWordEnd(text, length);
    if (end === 0) continue;
    const read = text.slice(0, end);
    const { ids, tokens } = source.encode(read, { add_special_tokens: false });
    if (ids.length >= enough) return { ids, tokens, read };
  }
  const { ids, tokens } = source.encode(text, { add_special_tokens: false });
  return { ids, tokens, read: text };
}

/**
 * The last place up to `length` with a space after a letter, digit or punctuation mark, or 0. Other characters may become spaces themselves, and
 * with the one after them a token.
 */
function lastWordEnd(text: string, length: number): number {
  for (let at = text.lastIndexOf(' ', length); at > 0; at = text.lastIndexOf(' ', at - 1)) {
    if (/[\p{L}\p{N}\p{P}]$/u.test(text.slice(Math.max(0, at - 2), at))) return at;
  }
  return 0;
}

/** Whether the vocabulary of a parsed tokenizer.json has tokens with a space after something else, such as those of phrases. */
export function tokensCrossSpaces(json: object): boolean {
  const { model, pre_tokenizer, added_tokens } = json as Json;
  if (((added_tokens ?? []) as { content: string }[]).some(({ content }) => /\S\s/.test(content))) return true;
  const kind = modelKind(model);
  if (kind !== 'BPE' && kind !== 'Unigram') return false;
  const splitters = stepsOf(pre_tokenizer, 'pretokenizers').map(({ type }) => type);
  if (splitters[0] === 'WhitespaceSplit') return false;
  // Ċ, č and ĉ are line ends and tabs, which come before spaces in tokens of nothing but whitespace
  const crossing = splitters.includes('ByteLevel') ? /[^ĠĊčĉ]Ġ/ : /[^\s▁][ ▁]/;
  const { vocab } = model as Json;
  const tokens = Array.isArray(vocab) ? vocab.map(([token]: [string, number]) => token) : Object.keys(vocab as object);
  return tokens.some((token) => crossing.test(token));
}
