import { abortable } from '../../abortable.js';
import type { Call, Calls } from './calls.js';

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
