import { pacer, stepPacer } from '../pacer.js';
import type { RunOptions } from '../run-options.js';
import { tokenizePrompted } from './text/prompted-text.js';
import { type ArrangedText, arrange, type TextRecipe } from './text/recipe.js';
import type { TextTokenizer } from './text/tokenizer.js';

/**
 * What a text counts as among the steps between two turns of the event loop: 16 texts are tokenized
 * in one.
 */
const STEPS_A_TEXT = 256;

/** Texts as the body takes them, and how many had more than `maxTokens` tokens. */
export async function arrangeTexts(
  tokenizer: TextTokenizer,
  texts: readonly string[],
  recipe: TextRecipe,
  maxTokens: number,
  { signal, onProgress }: RunOptions,
): Promise<{ arranged: ArrangedText[]; truncated: number }> {
  const pace = pacer(signal);
  const step = stepPacer(signal);
  const arranged: ArrangedText[] = [];
  let truncated = 0;
  onProgress?.({ stage: 'tokenize', done: 0, total: texts.length });
  for (const text of texts) {
    await pace();
    await step(STEPS_A_TEXT);
    const tokenized = tokenizePrompted(tokenizer, recipe, text, maxTokens);
    if (tokenized.truncated) truncated++;
    arranged.push(arrange(tokenized, tokenizer.around, recipe));
  }
  onProgress?.({ stage: 'tokenize', done: texts.length, total: texts.length });
  return { arranged, truncated };
}

/** Spans of all texts' rows; undefined where a text has none. */
export function joinSpans(
  texts: readonly ArrangedText[],
  offsets: Float64Array,
): Int32Array | undefined {
  const out = new Int32Array(2 * offsets[texts.length]);
  for (const [text, { spans }] of texts.entries()) {
    if (!spans) return undefined;
    out.set(spans, 2 * offsets[text]);
  }
  return out;
}
