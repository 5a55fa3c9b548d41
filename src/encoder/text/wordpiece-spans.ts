import { mappedNormalizer } from './mapped-normalizer.js';
import { part } from './normalized-text.js';
import type { SpanRules } from './span-rules.js';
import { type Json, modelKind } from './tokenizer-json.js';

/** BERT's words: whitespace is left out, every punctuation mark is a word. */
const WORDS = /[^\s\p{P}!-/:-@[-`{-~]+|[\p{P}!-/:-@[-`{-~]/gu;

/**
 * The rules of a tokenizer of a known normaliser, BertPreTokenizer and WordPiece; undefined for any
 * other.
 */
export function wordPieceRules(json: Json): SpanRules | undefined {
  const normalize = mappedNormalizer(json.normalizer);
  if (
    !normalize ||
    modelKind(json.model) !== 'WordPiece' ||
    (json.pre_tokenizer as Json | null)?.type !== 'BertPreTokenizer'
  ) {
    return undefined;
  }
  const { unk_token: unknown, continuing_subword_prefix: prefix } = json.model as Json;
  if (typeof unknown !== 'string' || typeof prefix !== 'string') return undefined;
  return {
    normalize,
    *words(stretch) {
      for (const { 0: word, index } of stretch.text.matchAll(WORDS))
        yield part(stretch, index, index + word.length);
    },
    pieceLength(token, word, from) {
      // a whole word that the vocabulary cannot spell
      if (from === 0 && token === unknown) return word.length;
      if (from > 0 && !token.startsWith(prefix)) return 0;
      const piece = from === 0 ? token : token.slice(prefix.length);
      return word.startsWith(piece, from) ? piece.length : 0;
    },
  };
}
