import { invalidArgument } from '../errors.js';
import { cutText, type TextPassage } from './cut-text.js';
import { givenPassages } from './given-passages.js';
import { type CutFunction, cutBy, type PassageRules } from './passage-rules.js';
import { type CountTokens, checkedCount, estimateTokens } from './token-counter.js';

/** How the documents of a collection are cut. */
export interface Cutting {
  readonly rules: PassageRules;
  /** What the rules leave to a function. */
  readonly cut: CutFunction | undefined;
  /** The encoder's; undefined: tokens are estimated. */
  readonly count: CountTokens | undefined;
}

/** The passages of a document. Rejects as `cutText` and `givenPassages` do. */
export function passagesOf(
  id: string,
  text: string,
  { rules, cut, count }: Cutting,
  signal: AbortSignal | undefined,
): AsyncGenerator<TextPassage, void, void> {
  if (rules.by === 'function') {
    if (!cut) throw noFunction();
    return givenPassages(text, cut, `document ${JSON.stringify(id)}`, signal);
  }
  const { size, overlap } = rules;
  const counting = count
    ? checkedCount(count)
    : async (texts: readonly string[]) => texts.map(estimateTokens);
  return cutText(text, { by: cutBy(rules.by, id), size, overlap }, counting, signal);
}

function noFunction(): Error {
  const problem = 'texts of this collection are cut by a function, which is not stored with it';
  return invalidArgument('passages', `${problem}: open it with { passages: (text) => ... }`);
}
