import { abortable, onAbort } from '../abortable.js';
import type { Index } from '../collection/index.js';
import type { SearchOptions } from '../collection/options/options.js';
import type { SearchResult } from '../collection/query/search-result.js';
import type { Gate } from './gate.js';

/** Queries of a batch: 32 of them take half the time of 32 one by one, 4 take as long. */
const MOST_QUERIES = 32;
/** Hits of a batch, which are held at once. */
const MOST_HITS = 10_000;

type Options = Omit<SearchOptions, 'signal'>;

/** A search that waits for its turn, or for the batch that took it along. */
interface Waiting {
  readonly query: string;
  readonly signal: AbortSignal;
  answer: Promise<SearchResult> | undefined;
}

/**
 * Searches of one index that wait at the same time, and differ in nothing but the question, become
 * one batch when the first of them has its turn. What has its turn at once goes alone: nobody waits
 * so that there may be others.
 */
export class SharedSearches {
  readonly #index: Index;
  readonly #work: Gate;
  readonly #waiting = new Map<string, Set<Waiting>>();

  constructor(index: Index, work: Gate) {
    this.#index = index;
    this.#work = work;
  }

  /** As `Index.search`. Rejects with a problem where too many wait. */
  async search(query: string, options: Options, signal: AbortSignal): Promise<SearchResult> {
    const key = JSON.stringify(options);
    const own: Waiting = { query, signal, answer: undefined };
    const alike = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, alike.add(own));
    try {
      const { answer } = await this.#work.pass(signal, async () => {
        // who was taken along leaves the place to others
        if (!own.answer) await this.#take(own, alike, options);
        return { answer: own.answer };
      });
      return await abortable(answer as Promise<SearchResult>, signal);
    } finally {
      alike.delete(own);
      if (alike.size === 0 && this.#waiting.get(key) === alike) this.#waiting.delete(key);
    }
  }

  /** Searches for it and for those that wait with it; resolves when all have their answers. */
  async #take(own: Waiting, alike: Set<Waiting>, options: Options): Promise<void> {
    const most = Math.max(1, Math.min(MOST_QUERIES, Math.floor(MOST_HITS / (options.k ?? 10))));
    const others = [...alike].filter((one) => one !== own && !one.signal.aborted);
    const batch = [own, ...others.slice(0, most - 1)];
    const all = this.#together(batch, options);
    for (const [i, one] of batch.entries()) {
      alike.delete(one);
      one.answer = all.then(
        (results) => results[i],
        // one that is wrong is so alone
        (error) => (batch.length === 1 ? Promise.reject(error) : this.#alone(one, options)),
      );
      one.answer.catch(() => undefined);
    }
    await Promise.allSettled(batch.map(({ answer }) => answer));
  }

  /** Goes on until nobody waits for it any more. */
  async #together(batch: readonly Waiting[], options: Options): Promise<SearchResult[]> {
    const leaving = new AbortController();
    let left = batch.length;
    const forget = batch.map(({ signal }) =>
      onAbort(signal, () => {
        left--;
        if (left === 0) leaving.abort(signal.reason);
      }),
    );
    try {
      const queries = batch.map(({ query }) => query);
      return await this.#index.searchBatch(queries, { ...options, signal: leaving.signal });
    } finally {
      for (const one of forget) one();
    }
  }

  #alone({ query, signal }: Waiting, options: Options): Promise<SearchResult> {
    return this.#index.search(query, { ...options, signal });
  }
}
