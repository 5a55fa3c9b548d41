import { addedTokens } from './added-tokens.js';
import { byteLevelRules } from './byte-level-spans.js';
import { sentencePieceRules } from './sentencepiece-spans.js';
import { type SpanFinder, verbatimLength, type Word } from './span-rules.js';
import type { Json } from './tokenizer-json.js';
import { wordPieceRules } from './wordpiece-spans.js';

/**
 * The library gives tokens without their places. This finds them again: it normalises the text with
 * a map back to the original, and reads the tokens along what the model reads. Of a parsed
 * tokenizer.json and tokenizer_config.json; undefined for a tokenizer that is none of WordPiece as
 * BERT has it, byte-level BPE and SentencePiece, or that has a part whose rules are not known.
 */
export function spanFinder(json: object, config: object): SpanFinder | undefined {
  const { remove_space, do_lowercase_and_remove_accent } = config as Json;
  if (remove_space === true || do_lowercase_and_remove_accent) return undefined;
  const rules =
    wordPieceRules(json as Json) ??
    byteLevelRules(json as Json) ??
    sentencePieceRules(json as Json);
  if (!rules) return undefined;
  const stretchesOf = addedTokens(json as Json, rules.normalize);
  return (text, tokens, count) => {
    const spans = new Int32Array(2 * count);
    let placed = 0;
    for (const stretch of stretchesOf(text)) {
      const pieceLength = stretch.isAdded ? verbatimLength : rules.pieceLength;
      for (const word of stretch.isAdded ? [stretch] : rules.words(stretch, stretch.section)) {
        for (let from = 0; from < word.text.length; placed++) {
          if (placed === count) return count < tokens.length ? spans : undefined;
          const length = pieceLength(tokens[placed], word.text, from);
          if (length === 0) return undefined;
          place(word, from, from + length, spans, placed);
          from += length;
        }
      }
    }
    return placed === tokens.length ? spans : undefined;
  };
}

/**
 * Writes where units [from, to) of a word come from: without spaces around them, unless there is
 * nothing else.
 */
function place(word: Word, from: number, to: number, spans: Int32Array, row: number): void {
  const isSpace = (unit: number): boolean => word.isSpace?.(unit) ?? false;
  let [first, last] = [from, to - 1];
  while (first < to && isSpace(first)) first++;
  while (last > first && isSpace(last)) last--;
  if (first === to) [first, last] = [from, to - 1];
  spans[2 * row] = word.starts[first];
  spans[2 * row + 1] = word.ends[last];
}
