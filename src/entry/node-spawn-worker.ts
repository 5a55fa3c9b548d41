import { existsSync } from 'node:fs';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { WorkerPort } from '../platform.js';

/** What a worker thread runs. */
export interface WorkerScript {
  /** Its file; undefined where it is not there. */
  file(): URL | undefined;
  /** The same as one text, CommonJS, for programs that were bundled into a file without it. */
  text(): Promise<string>;
  readonly options: Omit<WorkerOptions, 'eval'>;
}

/** A port whose thread may also be left to end itself. */
export interface NodeWorkerPort extends WorkerPort {
  /** Sends a last message, after which the thread ends by itself, and waits until it has. */
  finish(message: unknown): Promise<void>;
}

/**
 * The file of that name beside the one at `address`, which is a module's `import.meta.url`;
 * undefined where there is none. Written so that bundlers do not see which file is meant: they
 * would take it along alone, without what it imports.
 */
export function fileBeside(address: string | undefined, name: string): URL | undefined {
  // bundles of CommonJS know no address of theirs
  if (!address?.startsWith('file:')) return undefined;
  const url = new URL(address);
  url.pathname = url.pathname.replace(/[^/]*$/, name);
  return existsSync(url) ? url : undefined;
}

/** Scripts whose file is known not to run. */
const fileless = new WeakSet<WorkerScript>();

/**
 * A worker thread from its file. Where that ends before it has answered, another from the text,
 * which gets the same messages.
 */
export function spawnNodeWorker(script: WorkerScript): NodeWorkerPort {
  let worker: Worker | undefined;
  let alive = false;
  let wanted = true;
  /** For the second worker, should the first never answer. */
  let unanswered: { message: unknown; transfer: readonly ArrayBuffer[] }[] | null = [];
  let receive: (message: unknown) => void = () => {};
  let die: (cause: unknown) => void = () => {};
  let ended: () => void = () => {};
  const exited = new Promise<void>((resolve) => {
    ended = resolve;
  });

  const adopt = (started: Worker, onFailure: (cause: Error) => void): void => {
    worker = started;
    if (!alive) started.unref();
    started.on('message', (message) => {
      unanswered = null;
      receive(message);
    });
    const fail = (cause: Error): void => {
      if (worker !== started) return;
      if (wanted && unanswered) {
        worker = undefined;
        onFailure(cause);
        return;
      }
      if (wanted) die(cause);
    };
    started.on('error', fail);
    started.on('exit', (code) => {
      fail(new Error(`exit code ${code}`));
      if (worker === started) ended();
    });
    for (const { message, transfer } of unanswered ?? []) started.postMessage(message, transfer);
  };

  const startFile = (): void => {
    try {
      const file = script.file();
      if (file) adopt(new Worker(file, script.options), startText);
      else void startText(new Error('it is not there'));
    } catch (cause) {
      void startText(cause as Error);
    }
  };

  const startText = async (first?: Error): Promise<void> => {
    fileless.add(script);
    const fail = (cause: Error): void => {
      die(
        new Error(
          `from its file: ${first?.message ?? 'failed before'}; from a text: ${cause.message}`,
          { cause },
        ),
      );
      ended();
    };
    try {
      const text = await script.text();
      if (!wanted) return ended();
      adopt(new Worker(text, { ...script.options, eval: true }), fail);
    } catch (cause) {
      fail(cause as Error);
    }
  };

  if (fileless.has(script)) void startText();
  else startFile();
  return {
    post(message, transfer = []) {
      const buffers = transfer as readonly ArrayBuffer[];
      unanswered?.push({ message, transfer: buffers });
      worker?.postMessage(message, buffers);
    },
    listen(onMessage, onDeath) {
      receive = onMessage;
      die = onDeath;
    },
    keepAlive(value) {
      alive = value;
      if (alive) worker?.ref();
      else worker?.unref();
    },
    async terminate() {
      wanted = false;
      await worker?.terminate();
    },
    async finish(message) {
      wanted = false;
      worker?.postMessage(message);
      worker?.ref();
      await exited;
    },
  };
}
