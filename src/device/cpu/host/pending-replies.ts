import { LemurError } from '../../../errors.js';
import type { FromWorker } from '../protocol.js';

interface Pending {
  receive: (message: FromWorker) => void;
  fail: (error: LemurError) => void;
}

/** Jobs and requests that workers have not answered yet, by their numbers. */
export class PendingReplies {
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  /** A number for a job or request. */
  next(): number {
    return this.#next++;
  }

  /**
   * Resolves when so many replies have come, and rejects then if one of them is a failure; or with
   * the reply that says that the job is complete: a worker that comes late to it does nothing.
   */
  expect(id: number, replies: number): Promise<FromWorker[]> {
    return new Promise((resolve, reject) => {
      const received: FromWorker[] = [];
      const receive = (message: FromWorker): void => {
        received.push(message);
        const complete = message.type === 'done' && message.complete;
        if (received.length < replies && !complete) return;
        this.#pending.delete(id);
        const failed = received.find((reply) => reply.type === 'failed');
        if (failed) reject(errorOf(failed));
        else resolve(received);
      };
      this.#pending.set(id, { receive, fail: reject });
    });
  }

  receive(message: Exclude<FromWorker, { type: 'started' }>): void {
    const id = message.type === 'data' ? message.request : message.job;
    this.#pending.get(id)?.receive(message);
  }

  failAll(error: LemurError): void {
    for (const { fail } of this.#pending.values()) fail(error);
    this.#pending.clear();
  }
}

/** The failure of a worker as an error of this thread. */
function errorOf({ message, stack, code, where }: Extract<FromWorker, { type: 'failed' }>) {
  const cause = new Error(message);
  cause.stack = stack;
  if (code) return new LemurError(code, message, { where }, { cause });
  const text = `a worker thread failed: ${message}`;
  return new LemurError('worker-failed', text, { where: 'worker' }, { cause });
}
