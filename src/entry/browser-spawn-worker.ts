import { unpack } from '../bytes/packed.js';
import type { WorkerPort } from '../platform.js';

let urlFailed = false;
let inlinedUrl: string | undefined;

/**
 * A module worker by its URL, in the form that bundlers look for. Where that file cannot be had (a
 * development server that moved this one alone, a script from another origin) the same code from a
 * text, once it is known that the URL failed.
 */
export function spawnBrowserWorker(): WorkerPort {
  const thread = new PageThread();
  thread.start();
  return {
    post: (message, transfer) => thread.post(message, transfer),
    listen: (onMessage, onDeath) => thread.listen(onMessage, onDeath),
    keepAlive: () => thread.keepAlive(),
    terminate: () => thread.terminate(),
  };
}

class PageThread implements WorkerPort {
  #worker: Worker | undefined;
  #isEnded = false;
  /** For the second worker, should the first never answer. */
  #unanswered: { message: unknown; transfer: Transferable[] }[] | null = [];
  #receive: (message: unknown) => void = () => {};
  #die: (cause: unknown) => void = () => {};

  start(): void {
    if (urlFailed) void this.#startInlined();
    else this.#startByUrl();
  }

  post(message: unknown, transfer: readonly unknown[] = []): void {
    this.#unanswered?.push({ message, transfer: transfer as Transferable[] });
    this.#worker?.postMessage(message, transfer as Transferable[]);
  }

  listen(onMessage: (message: unknown) => void, onDeath: (cause: unknown) => void): void {
    this.#receive = onMessage;
    this.#die = onDeath;
  }

  /** A page stays open by itself. */
  keepAlive(): void {}

  async terminate(): Promise<void> {
    this.#isEnded = true;
    this.#worker?.terminate();
  }

  #startByUrl(): void {
    try {
      this.#adopt(
        new Worker(new URL('./browser-kernels-worker.js', import.meta.url), { type: 'module' }),
        (cause) => void this.#startInlined(cause),
      );
    } catch (cause) {
      void this.#startInlined(cause as Error);
    }
  }

  async #startInlined(first?: Error): Promise<void> {
    urlFailed = true;
    const fail = (cause: Error): void => {
      const why = first?.message ?? 'failed before';
      this.#die(new Error(`by its URL: ${why}; from a blob: ${cause.message}`, { cause }));
    };
    this.#worker?.terminate();
    try {
      const { WORKER } = await import('./inlined-kernels-worker.js');
      const script = new Blob([await unpack(WORKER)], { type: 'text/javascript' });
      if (this.#isEnded) return;
      inlinedUrl ??= URL.createObjectURL(script);
      this.#adopt(new Worker(inlinedUrl, { type: 'module' }), fail);
    } catch (cause) {
      fail(cause as Error);
    }
  }

  #adopt(started: Worker, onFailure: (cause: Error) => void): void {
    this.#worker = started;
    started.onmessage = (event) => {
      this.#unanswered = null;
      this.#receive(event.data);
    };
    started.onerror = (event) => {
      if (this.#worker !== started) return;
      const cause =
        event.error instanceof Error
          ? event.error
          : new Error(event.message || 'its script could not be loaded');
      if (this.#unanswered) onFailure(cause);
      else this.#die(cause);
    };
    for (const { message, transfer } of this.#unanswered ?? [])
      started.postMessage(message, transfer);
  }
}
