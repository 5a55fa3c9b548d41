import { stepPacer } from '../pacer.js';
import type { TextTokenizer } from './text/tokenizer.js';

/** No text has more tokens for each of its characters (UTF-16 code units). */
const MOST_A_CHARACTER = 20;
/** Steps that a text, and some of its characters, count as between two turns of the event loop. */
const STEPS_A_TEXT = 4;
const STEP_CHARACTERS = 4;

/** Tokens of content of each text. Gives way to other work; rejects with the signal's reason. */
export async function countTokens(
  tokenizer: TextTokenizer,
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const step = stepPacer(signal);
  const counts = new Int32Array(texts.length);
  for (const [i, text] of texts.entries()) {
    counts[i] = tokenizer.tokenize(text, MOST_A_CHARACTER * text.length + 1).ids.length;
    const wait = step(STEPS_A_TEXT + text.length / STEP_CHARACTERS);
    if (wait) await wait;
  }
  return counts;
}
