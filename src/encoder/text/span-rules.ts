import type { NormalizedText } from './normalized-text.js';

/**
 * Where the first `count` of a text's tokens are in it: [start, end) in UTF-16 code units, count x
 * 2, in the order of the text. Undefined where the tokens do not follow from the text by the rules
 * known here.
 */
export type SpanFinder = (
  text: string,
  tokens: readonly string[],
  count: number,
) => Int32Array | undefined;

/** A stretch of text as a model spells it: its tokens, one after the other, are the whole of it. */
export interface Word extends NormalizedText {
  /** Whether a unit is a space; a token's place leaves out those that it begins or ends with. */
  isSpace?(unit: number): boolean;
}

/** How one kind of tokenizer comes from a text to its tokens. */
export interface SpanRules {
  /** What is done to a text between the added tokens that are found before it. */
  readonly normalize: (text: string) => NormalizedText;
  /**
   * What the model reads of a stretch between added tokens; `section` counts those between tokens
   * that are found in the text as it was written.
   */
  words(stretch: NormalizedText, section: number): Iterable<Word>;
  /** Code units of the word from `from` on that the token stands for; 0 if it cannot. */
  pieceLength(token: string, word: string, from: number): number;
}

/** Of models whose tokens are what they stand for. */
export function verbatimLength(token: string, word: string, from: number): number {
  return word.startsWith(token, from) ? token.length : 0;
}
