import type { TextRecipe } from './recipe.js';
import type { TextTokenizer, TokenizedText } from './tokenizer.js';

/**
 * What Python takes for space: unlike JavaScript the separators U+001C to U+001F and U+0085, and no
 * U+FEFF.
 */
const SPACES =
  '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const BEFORE = new RegExp(`^${SPACES}`);
const BEHIND = new RegExp(`${SPACES}$`);

/**
 * Tokens of a recipe's prompt and a text, which are read as one text: a prompt's last word and a
 * text's first may be one. At most `maxTokens`. Spans are places in the text alone, [0, 0) for
 * tokens of the prompt.
 */
export function tokenizePrompted(
  tokenizer: TextTokenizer,
  { prompt, strip }: TextRecipe,
  text: string,
  maxTokens: number,
): TokenizedText {
  const skipped = strip ? (BEFORE.exec(text)?.[0].length ?? 0) : 0;
  const own = strip ? text.slice(skipped).replace(BEHIND, '') : text;
  const tokenized = tokenizer.tokenize(prompt + own, maxTokens);
  const { spans } = tokenized;
  if (!spans || (prompt === '' && skipped === 0)) return tokenized;
  for (let i = 0; i < spans.length; i += 2) {
    const end = spans[i + 1] - prompt.length;
    const start = Math.max(0, spans[i] - prompt.length);
    // an empty place of a text's own stays where it is
    const isPrompt = end < 0 || (end === 0 && spans[i] < prompt.length);
    spans[i] = isPrompt ? 0 : start + skipped;
    spans[i + 1] = isPrompt ? 0 : end + skipped;
  }
  return tokenized;
}
