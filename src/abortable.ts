import { LemurError } from './errors.js';
import { describeKind } from './value-kind.js';

/** Cleaning up that takes longer than this is left behind. */
const CLEANUP_MS = 300;

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `act` when the signal aborts, at once if it has. Returns what takes that back. However many
 * wait for one signal, it has one listener: engines warn of many as of a leak.
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act();
    return () => {};
  }
  let acts = waiting.get(signal);
  if (!acts) {
    acts = new Set();
    waiting.set(signal, acts);
    const all = acts;
    const callAll = (): void => {
      for (const one of [...all]) one();
    };
    signal.addEventListener('abort', callAll, { once: true });
  }
  const own = (): void => act();
  acts.add(own);
  return () => void acts.delete(own);
}

/**
 * What the promise gives, or a rejection with the signal's reason as soon as that aborts, whether
 * the promise ever settles or not.
 */
export function abortable<T>(promise: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = signal && onAbort(signal, () => reject(signal.reason));
    promise.then(
      (value) => {
        forget?.();
        resolve(value);
      },
      (error: unknown) => {
        forget?.();
        reject(error);
      },
    );
  });
}

/**
 * A signal of one call that aborts with the first of these; `end` lets go of them.
 * `AbortSignal.any` is held by long-lived signals in some engines.
 */
export function anyAbort(signals: readonly (AbortSignal | undefined)[]): {
  signal: AbortSignal;
  end(): void;
} {
  const controller = new AbortController();
  const forget = signals.map(
    (signal) => signal && onAbort(signal, () => controller.abort(signal.reason)),
  );
  const end = (): void => {
    for (const one of forget) one?.();
  };
  return { signal: controller.signal, end };
}

/** Resolves when the promise has settled, either way, or after `ms`: false then. */
export function settlesWithin(promise: PromiseLike<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    const settled = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(settled, settled);
  });
}

/**
 * The items of an iterable, as `for await` gives them, but that it rejects with the signal's reason
 * as soon as that aborts, even while the iterable is asked for the next one and never answers. When
 * it is left early the iterator's `return()` is called, and waited for a moment only. `call` makes
 * each call of the iterator, which may itself be watched.
 */
export async function* abortableItems<T>(
  items: Iterable<T | PromiseLike<T>> | AsyncIterable<T>,
  signal: AbortSignal | undefined,
  call: <R>(make: () => R) => R = (make) => make(),
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  const iterator = call(() => iteratorOf<T>(items));
  /** Asked for an item and not answered: a generator hears of `return()` only afterwards. */
  let asked = false;
  let ended = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      asked = true;
      const step: Step<T> | PromiseLike<Step<T>> = call(() => iterator.next());
      const result = isThenable(step) ? await abortable(step, signal) : step;
      asked = false;
      if (typeof result !== 'object' || result === null)
        throw badSource(`its next() gave ${describeKind(result)}, expected { done, value }`);
      if (result.done) {
        ended = true;
        return;
      }
      yield isThenable(result.value) ? await abortable(result.value, signal) : result.value;
    }
  } catch (error) {
    // an iterator that throws has ended by itself
    ended = asked && !signal?.aborted;
    throw error;
  } finally {
    if (!ended) await leave(iterator, call, asked);
  }
}

function iteratorOf<T>(
  items: Iterable<T | PromiseLike<T>> | AsyncIterable<T>,
): Iterator<T | PromiseLike<T>> | AsyncIterator<T> {
  const of = items as Partial<Iterable<T> & AsyncIterable<T>>;
  const make: unknown = of[Symbol.asyncIterator] ?? of[Symbol.iterator];
  const iterator: unknown = typeof make === 'function' ? make.call(items) : undefined;
  const next: unknown = (iterator as { next?: unknown } | null | undefined)?.next;
  if (typeof next === 'function') return iterator as Iterator<T>;
  throw badSource(`its iterator is ${describeKind(iterator)}, expected one with next()`);
}

function badSource(problem: string): LemurError {
  return new LemurError(
    'invalid-argument',
    `source: an iterable that breaks its protocol: ${problem}`,
    { where: 'source' },
  );
}

type Step<T> = IteratorResult<T | PromiseLike<T>>;

async function leave(
  iterator: Iterator<unknown> | AsyncIterator<unknown>,
  call: <R>(make: () => R) => R,
  asked: boolean,
): Promise<void> {
  // what goes wrong while leaving is not what the caller is told
  const left = new Promise((resolve) => resolve(call(() => iterator.return?.())));
  left.catch(() => {});
  if (!asked) await settlesWithin(left, CLEANUP_MS);
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
