import { abortable, anyAbort, onAbort, settlesWithin } from '../../abortable.js';
import type { Encoder } from '../../encoder/encoder.js';
import { LemurError } from '../../errors.js';
import { type CallContext, platform } from '../../platform.js';
import { plainCallContext } from './call-context.js';

/**
 * How long what has been told to stop may take; after that it is left behind. Twice this is less
 * than a second.
 */
const GRACE_MS = 400;

/** A call under way. */
export interface Call {
  /** The caller's signal, and for calls that change the collection that of `close`. */
  readonly signal: AbortSignal;
  /**
   * Calls what the caller gave, such as an encoder: what is done inside may not wait for this call.
   */
  guard<R>(make: () => R): R;
}

/**
 * The calls of a collection: reading ones at any time, changing ones one after the other, none
 * after `close`. A call ends when its signal aborts, and all end with `close`, whatever they are
 * waiting for: source and encoder are left at once, all else after a moment. What was left behind
 * is heard of again by nobody, and by then finds its signal aborted.
 */
export interface Calls {
  readonly closed: boolean;
  /** Raises 'closed'. */
  checkOpen(): void;
  read<T>(
    where: string,
    signal: AbortSignal | undefined,
    use: (call: Call) => Promise<T>,
  ): Promise<T>;
  write<T>(
    where: string,
    signal: AbortSignal | undefined,
    use: (call: Call) => Promise<T>,
  ): Promise<T>;
  /**
   * Counts what storage and callers are waited for. When all calls are to end, this may take a
   * moment; computing may take its time.
   */
  waitFor<T>(foreign: Promise<T>): Promise<T>;
  /**
   * Stops all calls, then has `end` give things back, which is left behind too when it takes long.
   */
  close(end: () => Promise<void>): Promise<void>;
}

/** What a call's place is known by. */
interface Place {
  readonly of: Calls;
  readonly where: string;
  readonly changes: boolean;
  readonly outer: Place | undefined;
  running: boolean;
}

/** Calls under way in all collections. */
let underWay = 0;

export function createCalls(
  context: CallContext = platform().callContext ?? plainCallContext,
): Calls {
  const closing = new AbortController();
  const givenUp = new AbortController();
  /** Calls under way, as their callers see them. */
  const outcomes = new Set<Promise<unknown>>();
  let queue: Promise<unknown> = Promise.resolve();
  let closed: Promise<void> | undefined;
  /** What could not be given back when it was closed may be tried again. */
  let again = false;

  const patience = createPatience(closing.signal, () => givenUp.abort(closing.signal.reason));
  const isClosed = (): LemurError =>
    new LemurError('closed', 'this Index has been closed', { where: 'Index' });
  const checkOpen = (): void => {
    if (closed) throw isClosed();
  };
  const keep = <T>(outcome: Promise<T>): Promise<T> => {
    outcomes.add(outcome);
    const done = (): void => void outcomes.delete(outcome);
    outcome.then(done, done);
    return outcome;
  };
  /**
   * A call in its place, so that what is called inside of it can be told from what is called
   * elsewhere.
   */
  const placed = async <T>(
    where: string,
    changes: boolean,
    use: (guard: Call['guard']) => Promise<T>,
  ): Promise<T> => {
    const place: Place = {
      of: calls,
      where,
      changes,
      outer: context.current() as Place | undefined,
      running: true,
    };
    underWay++;
    try {
      return await use((make) => context.run(place, make));
    } finally {
      place.running = false;
      if (--underWay === 0) context.idle();
    }
  };
  const checkPlace = (where: string, waitsFor: (place: Place) => boolean): void => {
    for (let place = context.current() as Place | undefined; place; place = place.outer) {
      if (place.of !== calls || !place.running || !waitsFor(place)) continue;
      const message = `${where}: called inside of what ${place.where} of this collection is waiting for, its source or its encoder: each would wait for the other; call it when ${place.where} has resolved`;
      throw new LemurError('deadlock', message, { where });
    }
  };

  const calls: Calls = {
    get closed() {
      return closed !== undefined;
    },
    checkOpen,
    async read(where, given, use) {
      checkOpen();
      const both = anyAbort([given, givenUp.signal]);
      const signal = given ?? new AbortController().signal;
      const work = placed(where, false, (guard) => use({ signal, guard }));
      return keep(abortable(work, both.signal).finally(both.end));
    },
    async write(where, given, use) {
      checkOpen();
      checkPlace(where, ({ changes }) => changes);
      const before = queue;
      const { signal, end } = anyAbort([given, closing.signal]);
      const work = placed(where, true, async (guard) => {
        await abortable(before, signal);
        signal.throwIfAborted();
        return use({ signal, guard });
      });
      const outcome = keep(untilGivenUp(work, signal).finally(end));
      queue = Promise.allSettled([before, outcome]);
      return outcome;
    },
    waitFor: patience,
    close(end) {
      if (closed && !again) return closed;
      try {
        checkPlace('close', () => true);
      } catch (error) {
        return Promise.reject(error);
      }
      again = false;
      closed = (async () => {
        closing.abort(isClosed());
        while (outcomes.size > 0) await Promise.allSettled(outcomes);
        const ended = end();
        // what goes wrong is told where it comes in time
        if (await settlesWithin(ended, GRACE_MS)) await ended;
      })();
      closed.catch(() => {
        again = true;
      });
      return closed;
    },
  };
  return calls;
}

/** The same, but that it rejects with the signal's reason a moment after that has aborted. */
function untilGivenUp<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const forget = onAbort(signal, () => {
      timer = setTimeout(() => reject(signal.reason), GRACE_MS);
    });
    const done = (): void => {
      forget();
      clearTimeout(timer);
    };
    work.then(resolve, reject);
    work.then(done, done);
  });
}

/**
 * From `closing` on gives up when foreign things have been waited for longer than a moment in all.
 */
function createPatience(
  closing: AbortSignal,
  giveUp: () => void,
): <T>(foreign: Promise<T>) => Promise<T> {
  let waiting = 0;
  let left = GRACE_MS;
  let since = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const update = (): void => {
    if (!closing.aborted) return;
    if (waiting > 0 && !timer) {
      since = performance.now();
      timer = setTimeout(giveUp, left);
    } else if (waiting === 0 && timer) {
      clearTimeout(timer);
      timer = undefined;
      left = Math.max(0, left - (performance.now() - since));
    }
  };
  onAbort(closing, update);
  return async (foreign) => {
    waiting++;
    update();
    try {
      return await foreign;
    } finally {
      waiting--;
      update();
    }
  };
}

/** Calls what the caller gave, and waits for it no longer than until the call ends. */
export type Watch = <T>(make: () => Promise<T>) => Promise<T>;

/** How a call waits for what the caller gave. */
export function watchOf(calls: Calls, { signal, guard }: Call): Watch {
  return (make) =>
    calls.waitFor(
      abortable(
        guard(async () => {
          signal.throwIfAborted();
          return make();
        }),
        signal,
      ),
    );
}

/** An encoder that a call waits for no longer than until its signal aborts. */
export function watchedEncoder<E extends Encoder | undefined>(
  encoder: E,
  calls: Calls,
  call: Call,
): E {
  if (!encoder) return encoder;
  const watch = watchOf(calls, call);
  return {
    id: encoder.id,
    dim: encoder.dim,
    encodeQuery: (texts, options) => watch(() => encoder.encodeQuery(texts, options)),
    encodeDocument: (texts, options) => watch(() => encoder.encodeDocument(texts, options)),
    close: () => encoder.close(),
  } satisfies Encoder as E;
}
