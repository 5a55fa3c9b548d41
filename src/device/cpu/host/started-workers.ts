import { LemurError } from '../../../errors.js';
import type { WorkerPort } from '../../../platform.js';
import type { FromWorker, ToWorker } from '../protocol.js';

/** A worker that has not answered by then never will. */
const START_SECONDS = 60;

/** What is heard of a worker after its start. */
export interface WorkerEvents {
  receive(message: Exclude<FromWorker, { type: 'started' }>): void;
  /** It ended without being told to. */
  lose(error: LemurError): void;
}

/** Workers from the time when they are spawned; `ready` resolves when all have started. */
export class StartedWorkers {
  readonly ports: readonly WorkerPort[];
  readonly ready: Promise<void>;
  readonly #rejects: ((error: LemurError) => void)[] = [];

  /** `messages` are sent first to each of them. */
  constructor(ports: readonly WorkerPort[], messages: Iterable<ToWorker>, events: WorkerEvents) {
    this.ports = ports;
    const first = [...messages];
    const started = ports.map((port) => this.#started(port, first, events));
    this.ready = this.#inTime(Promise.all(started));
    // whoever waits for it hears of it
    this.ready.catch(() => {});
  }

  /** Rejects the start of those that have not answered yet. */
  abandon(error: LemurError): void {
    for (const reject of this.#rejects) reject(error);
  }

  #started(port: WorkerPort, first: readonly ToWorker[], events: WorkerEvents): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rejects.push(reject);
      port.listen(
        (message) => {
          const reply = message as FromWorker;
          if (reply.type === 'started') resolve();
          else events.receive(reply);
        },
        (cause) => {
          const error = endedError(cause);
          events.lose(error);
          reject(error);
        },
      );
      for (const message of first) port.post(message);
    });
  }

  async #inTime(started: Promise<unknown>): Promise<void> {
    // seconds of the event loop: while the thread is busy with something else, no answer can arrive
    let seconds = 0;
    const patience = setInterval(() => {
      if (++seconds < START_SECONDS) return;
      const message = `no worker answered within ${START_SECONDS} s`;
      this.abandon(new LemurError('worker-failed', message, { where: 'worker' }));
    }, 1000);
    try {
      await started;
    } finally {
      clearInterval(patience);
    }
  }
}

function endedError(cause: unknown): LemurError {
  const what = cause instanceof Error ? cause.message : String(cause);
  const message = `a worker thread ended: ${what}`;
  return new LemurError('worker-failed', message, { where: 'worker' }, { cause });
}
