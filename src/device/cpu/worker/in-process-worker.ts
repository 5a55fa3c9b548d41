import { nextMacrotask } from '../../../pacer.js';
import type { WorkerPort } from '../../../platform.js';
import type { ToWorker } from '../protocol.js';
import { createWorker } from './worker.js';

/**
 * A worker without a thread, for runtimes that have none: its messages are worked off on the
 * caller's, giving it away before each.
 */
export function inProcessWorker(): WorkerPort {
  const queue: ToWorker[] = [];
  let receive: (message: unknown) => void = () => {};
  let die: (cause: unknown) => void = () => {};
  let ended = false;
  const worker = createWorker((message) => queueMicrotask(() => ended || receive(message)));

  /**
   * What was posted before comes first, even where its own turn never came: edge runtimes drop the
   * timers of requests that were cancelled.
   */
  const workUpTo = (message: ToWorker): void => {
    try {
      while (!ended && queue.includes(message)) worker(queue.shift() as ToWorker);
    } catch (cause) {
      ended = true;
      die(cause);
    }
  };
  return {
    post(message) {
      queue.push(message as ToWorker);
      void nextMacrotask().then(() => workUpTo(message as ToWorker));
    },
    listen(onMessage, onDeath) {
      receive = onMessage;
      die = onDeath;
    },
    keepAlive() {},
    async terminate() {
      ended = true;
      queue.length = 0;
    },
  };
}
