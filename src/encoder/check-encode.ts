import { invalidArgument, LemurError } from '../errors.js';
import { describeKind, showValue } from '../value-kind.js';
import type { EncodeOptions } from './encoder.js';
import { extraTokens, type TextRecipe } from './text/recipe.js';

/** Tokens of content where neither the caller nor the checkpoint says how many. */
const MOST_TOKENS = 180;

/** Raises 'invalid-argument' for anything but an array of strings. */
export function checkTexts(texts: readonly string[], where: string): void {
  if (!Array.isArray(texts))
    throw invalidArgument(where, `expected an array of strings, got ${describeKind(texts)}`);
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) {
    throw invalidArgument(
      where,
      `text ${wrong} is of type ${typeof texts[wrong]}, expected a string`,
    );
  }
}

/** Raises 'invalid-argument'. */
export function checkKind(kind: unknown): 'query' | 'document' {
  if (kind === 'query' || kind === 'document') return kind;
  throw new LemurError(
    'invalid-argument',
    `encode: kind is ${describeKind(kind)}, expected 'query' or 'document'`,
    { where: 'encode' },
  );
}

/** Most tokens of a text and the prompt before it. Raises 'invalid-argument'. */
export function maxTokensOf(
  { maxTokens }: EncodeOptions,
  recipe: TextRecipe,
  positions: number,
  where: string,
): number {
  const extra = extraTokens(recipe);
  if (maxTokens === undefined)
    return Math.min(
      recipe.length === undefined ? MOST_TOKENS : recipe.length - extra,
      positions - extra,
    );
  const most = positions - extra - recipe.promptTokens;
  if (Number.isInteger(maxTokens) && maxTokens >= 1 && maxTokens <= most)
    return maxTokens + recipe.promptTokens;
  throw invalidArgument(
    where,
    `maxTokens is ${showValue(maxTokens)}, expected an integer from 1 to ${most}`,
  );
}
