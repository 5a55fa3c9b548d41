import type { WorkerPort } from '../platform.js';

let urlFailed = false;
let inlinedUrl: string | undefined;

/**
 * A module worker by its URL, in the form that bundlers look for. Where that file cannot be had (a
 * development server that moved this one alone, a script from another origin) the same code from a
 * text, once it is known that the URL failed.
 */
export function spawnBrowserWorker(): WorkerPort {
  let worker: Worker | undefined;
  let ended = false;
  /** For the second worker, should the first never answer. */
  let unanswered: { message: unknown; transfer: Transferable[] }[] | null = [];
  let receive: (message: unknown) => void = () => {};
  let die: (cause: unknown) => void = () => {};

  const adopt = (started: Worker, onFailure: (cause: Error) => void): void => {
    worker = started;
    started.onmessage = (event) => {
      unanswered = null;
      receive(event.data);
    };
    started.onerror = (event) => {
      if (worker !== started) return;
      const cause =
        event.error instanceof Error
          ? event.error
          : new Error(event.message || 'its script could not be loaded');
      if (unanswered) onFailure(cause);
      else die(cause);
    };
    for (const { message, transfer } of unanswered ?? []) started.postMessage(message, transfer);
  };

  const startByUrl = (): void => {
    try {
      adopt(
        new Worker(new URL('./browser-kernels-worker.js', import.meta.url), { type: 'module' }),
        startInlined,
      );
    } catch (cause) {
      startInlined(cause as Error);
    }
  };

  const startInlined = async (first?: Error): Promise<void> => {
    urlFailed = true;
    const fail = (cause: Error): void =>
      die(
        new Error(
          `by its URL: ${first?.message ?? 'failed before'}; from a blob: ${cause.message}`,
          { cause },
        ),
      );
    worker?.terminate();
    try {
      const { WORKER } = await import('./inlined-kernels-worker.js');
      if (ended) return;
      inlinedUrl ??= URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
      adopt(new Worker(inlinedUrl, { type: 'module' }), fail);
    } catch (cause) {
      fail(cause as Error);
    }
  };

  if (urlFailed) void startInlined();
  else startByUrl();
  return {
    post(message, transfer = []) {
      unanswered?.push({ message, transfer: transfer as Transferable[] });
      worker?.postMessage(message, transfer as Transferable[]);
    },
    listen(onMessage, onDeath) {
      receive = onMessage;
      die = onDeath;
    },
    keepAlive() {},
    async terminate() {
      ended = true;
      worker?.terminate();
    },
  };
}
