import { onAbort } from '../abortable.js';
import { Problem } from './problem.js';

/** Lets so many work at the same time, and so many wait for these, first come first served. */
export class Gate {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #refused = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Those that found no place to wait. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Runs it when its turn comes. Rejects with a problem where too many wait, and with the signal's
   * reason.
   */
  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#running < this.#most) this.#running++;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      // its place goes over to the next one
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#mostWaiting) {
      this.#refused++;
      const problem = 'too many requests wait already; try again in a while';
      throw new Problem(503, 'busy', problem, { 'retry-after': '1' });
    }
    return new Promise((resolve, reject) => {
      let forget = (): void => {};
      const enter = (): void => {
        forget();
        resolve();
      };
      this.#waiting.push(enter);
      forget = onAbort(signal, () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      });
    });
  }
}
