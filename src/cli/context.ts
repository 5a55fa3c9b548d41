import type { Readable } from 'node:stream';
import type { Printer } from './print.js';
import type { Reporter } from './progress.js';

/** A command's way to the outside. */
export interface Context extends Printer {
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Progress, on standard error. */
  reporter: Reporter;
  /** Standard input; reading it ends with `signal`. */
  openInput: () => Readable;
  /** Whether a person sits at standard input. */
  inputIsTerminal: boolean;
  /** Asks that person for questions, one after the other, until they have no more. */
  openPrompt: () => AsyncIterable<string>;
}

/**
 * For work that writes nothing and looks at no signal: gives up on it when Ctrl-C comes, and
 * rejects with the signal's reason.
 */
export async function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = (): void => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
