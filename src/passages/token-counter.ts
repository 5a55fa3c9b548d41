import { invalidArgument, type LemurError } from '../errors.js';
import { describeKind, showValue } from '../value-kind.js';

/** Says how many tokens each of some texts has. */
export type CountTokens = (texts: readonly string[]) => Promise<ArrayLike<number>>;

/** What counts, with what it answers looked at: encoders are the caller's too. */
export function checkedCount(count: CountTokens): CountTokens {
  return async (texts) => {
    const counts: unknown = await count(texts);
    const wrong = (got: string): LemurError => {
      const problem = `countTokens: expected ${texts.length} counts, of 0 or more each`;
      return invalidArgument('encoder', `${problem}, got ${got}`);
    };
    // looked at before it is gone through: there may be billions
    const { length } = Object(counts) as { length?: unknown };
    const isList = typeof counts === 'object' && typeof length === 'number';
    if (!isList || length !== texts.length)
      throw wrong(isList ? `${length}` : describeKind(counts));
    const all: unknown[] = Array.from(counts as ArrayLike<unknown>);
    const bad = all.findIndex((n) => !(Number.isFinite(n) && (n as number) >= 0));
    if (bad >= 0) throw wrong(`${showValue(all[bad])} for text ${bad}`);
    return all as number[];
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
