import { onAbort } from '../../abortable.js';

/**
 * How long what has been told to stop may take, in milliseconds; after that it is left behind.
 * Twice this is less than a second.
 */
export const GRACE_MS = 400;

/**
 * From `closing` on gives up when foreign things have been waited for longer than a moment in all.
 */
export class Patience {
  readonly #closing: AbortSignal;
  readonly #giveUp: () => void;
  #waiting = 0;
  #left = GRACE_MS;
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(closing: AbortSignal, giveUp: () => void) {
    this.#closing = closing;
    this.#giveUp = giveUp;
    onAbort(closing, () => this.#update());
  }

  /** Settles as the foreign promise does, which is counted until then. */
  async waitFor<T>(foreign: Promise<T>): Promise<T> {
    this.#waiting++;
    this.#update();
    try {
      return await foreign;
    } finally {
      this.#waiting--;
      this.#update();
    }
  }

  /** Starts the clock when something is waited for, stops it when nothing is. */
  #update(): void {
    if (!this.#closing.aborted) return;
    if (this.#waiting > 0 && !this.#timer) {
      this.#since = performance.now();
      this.#timer = setTimeout(this.#giveUp, this.#left);
    } else if (this.#waiting === 0 && this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#left = Math.max(0, this.#left - (performance.now() - this.#since));
    }
  }
}
