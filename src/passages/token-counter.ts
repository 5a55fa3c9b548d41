import { invalidArgument } from '../errors.js';
import { describeKind } from '../value-kind.js';

/** Says how many tokens each of some texts has. */
export type CountTokens = (texts: readonly string[]) => Promise<ArrayLike<number>>;

/** What counts, with what it answers looked at: encoders are the caller's too. */
export function checkedCount(count: CountTokens): CountTokens {
  return async (texts) => {
    const counts = await count(texts);
    const all = Array.from(counts ?? []);
    if (all.length === texts.length && all.every((n) => Number.isFinite(n) && n >= 0)) return all;
    const problem = `countTokens: expected ${texts.length} counts, of 0 or more each`;
    throw invalidArgument('encoder', `${problem}, got ${describeKind(counts)}`);
  };
}

/** Words whose counts are remembered. */
const REMEMBERED = 16_384;
/** Longer ones are not likely to come again. */
const LONGEST = 32;

/** Counts tokens of words, of each word that comes often once. */
export class TokenCounter {
  readonly #count: CountTokens;
  readonly #known = new Map<string, number>();

  constructor(count: CountTokens) {
    this.#count = count;
  }

  /** Of a text as a whole. */
  async ofText(text: string): Promise<number> {
    return (await this.#count([text]))[0];
  }

  async ofWords(words: readonly string[]): Promise<number[]> {
    if (this.#known.size > REMEMBERED) this.#known.clear();
    const counts = words.map((word) => this.#known.get(word) ?? -1);
    const fresh = words.filter((_, i) => counts[i] < 0);
    if (fresh.length === 0) return counts;
    const different = [...new Set(fresh)];
    const counted = await this.#count(different);
    const found = new Map(different.map((word, i) => [word, counted[i]]));
    for (const [word, count] of found) if (word.length <= LONGEST) this.#known.set(word, count);
    return counts.map((count, i) => (count < 0 ? (found.get(words[i]) ?? 0) : count));
  }
}

/**
 * About how many tokens a text has, for encoders that do not count: a quarter of the letters of a
 * word of ASCII, each other letter, each mark.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const [word] of text.matchAll(/[\x30-\x39\x41-\x5a\x61-\x7a]+|\S/gu))
    tokens += word.length > 2 ? Math.ceil(word.length / 4) : 1;
  return tokens;
}
