import { abortable, anyAbort, onAbort, settlesWithin } from '../../abortable.js';
import { LemurError } from '../../errors.js';
import { type CallContext, platform } from '../../platform.js';
import { plainCallContext } from './call-context.js';
import { GRACE_MS, Patience } from './patience.js';

/** A call under way. */
export interface Call {
  /** The caller's signal, and for calls that change the collection that of `close`. */
  readonly signal: AbortSignal;
  /**
   * Calls what the caller gave, such as an encoder: what is done inside may not wait for this call.
   */
  guard<R>(make: () => R): R;
}

/** The call that code runs inside of. */
interface Place {
  readonly of: Calls;
  readonly where: string;
  readonly changes: boolean;
  readonly outer: Place | undefined;
  running: boolean;
}

/** Calls under way in all collections. */
let underWay = 0;

/**
 * The calls of a collection: reading ones at any time, changing ones one after the other, none
 * after `close`. A call ends when its signal aborts, and all end with `close`, whatever they are
 * waiting for: source and encoder are left at once, all else after a moment. What was left behind
 * is heard of again by nobody, and by then finds its signal aborted.
 */
export class Calls {
  readonly #context: CallContext;
  readonly #closing = new AbortController();
  readonly #givenUp = new AbortController();
  readonly #patience: Patience;
  /** Calls under way, as their callers see them. */
  readonly #outcomes = new Set<Promise<unknown>>();
  #queue: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;
  /** Whether a close that failed to give something back may be tried again. */
  #again = false;

  constructor(context: CallContext = platform().callContext ?? plainCallContext) {
    this.#context = context;
    const { signal } = this.#closing;
    this.#patience = new Patience(signal, () => this.#givenUp.abort(signal.reason));
  }

  /** Raises 'closed'. */
  checkOpen(): void {
    if (this.#closed) throw isClosed();
  }

  async read<T>(
    where: string,
    given: AbortSignal | undefined,
    use: (call: Call) => Promise<T>,
  ): Promise<T> {
    this.checkOpen();
    const both = anyAbort([given, this.#givenUp.signal]);
    const signal = given ?? new AbortController().signal;
    const work = this.#placed(where, false, (guard) => use({ signal, guard }));
    return this.#keep(abortable(work, both.signal).finally(both.end));
  }

  async write<T>(
    where: string,
    given: AbortSignal | undefined,
    use: (call: Call) => Promise<T>,
  ): Promise<T> {
    this.checkOpen();
    this.#checkPlace(where, ({ changes }) => changes);
    const before = this.#queue;
    const { signal, end } = anyAbort([given, this.#closing.signal]);
    const work = this.#placed(where, true, async (guard) => {
      await abortable(before, signal);
      signal.throwIfAborted();
      return use({ signal, guard });
    });
    const outcome = this.#keep(untilGivenUp(work, signal).finally(end));
    this.#queue = Promise.allSettled([before, outcome]);
    return outcome;
  }

  /**
   * Counts what storage and callers are waited for. When all calls are to end, this may take a
   * moment; computing may take its time.
   */
  waitFor<T>(foreign: Promise<T>): Promise<T> {
    return this.#patience.waitFor(foreign);
  }

  /**
   * Stops all calls, then has `end` give things back, which is left behind too when it takes long.
   */
  close(end: () => Promise<void>): Promise<void> {
    if (this.#closed && !this.#again) return this.#closed;
    try {
      this.#checkPlace('close', () => true);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#again = false;
    this.#closed = this.#end(end);
    this.#closed.catch(() => {
      this.#again = true;
    });
    return this.#closed;
  }

  async #end(end: () => Promise<void>): Promise<void> {
    this.#closing.abort(isClosed());
    while (this.#outcomes.size > 0) await Promise.allSettled(this.#outcomes);
    const ended = end();
    // what goes wrong is told where it comes in time
    if (await settlesWithin(ended, GRACE_MS)) await ended;
  }

  #keep<T>(outcome: Promise<T>): Promise<T> {
    this.#outcomes.add(outcome);
    const done = (): void => void this.#outcomes.delete(outcome);
    outcome.then(done, done);
    return outcome;
  }

  /**
   * A call in its place, so that what is called inside of it can be told from what is called
   * elsewhere.
   */
  async #placed<T>(
    where: string,
    changes: boolean,
    use: (guard: Call['guard']) => Promise<T>,
  ): Promise<T> {
    const context = this.#context;
    const outer = context.current() as Place | undefined;
    const place: Place = { of: this, where, changes, outer, running: true };
    underWay++;
    try {
      return await use((make) => context.run(place, make));
    } finally {
      place.running = false;
      if (--underWay === 0) context.idle();
    }
  }

  /** Raises 'deadlock' inside of a running call of this collection that would be waited for. */
  #checkPlace(where: string, waitsFor: (place: Place) => boolean): void {
    let place = this.#context.current() as Place | undefined;
    for (; place; place = place.outer) {
      if (place.of === this && place.running && waitsFor(place)) throw deadlock(where, place.where);
    }
  }
}

function isClosed(): LemurError {
  return new LemurError('closed', 'this Index has been closed', { where: 'Index' });
}

function deadlock(where: string, outer: string): LemurError {
  const inside = `called inside of what ${outer} of this collection is waiting for`;
  const why = 'its source or its encoder: each would wait for the other';
  const message = `${where}: ${inside}, ${why}; call it when ${outer} has resolved`;
  return new LemurError('deadlock', message, { where });
}

/** Settles as `work` does, or rejects with the signal's reason a moment after that has aborted. */
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
