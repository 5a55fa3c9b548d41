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
  const thread = new Thread(script);
  thread.start();
  return {
    post: (message, transfer) => thread.post(message, transfer),
    listen: (onMessage, onDeath) => thread.listen(onMessage, onDeath),
    keepAlive: (alive) => thread.keepAlive(alive),
    terminate: () => thread.terminate(),
    finish: (message) => thread.finish(message),
  };
}

class Thread implements NodeWorkerPort {
  readonly #script: WorkerScript;
  #worker: Worker | undefined;
  #isAlive = false;
  #isWanted = true;
  /** For the second worker, should the first never answer. */
  #unanswered: { message: unknown; transfer: readonly ArrayBuffer[] }[] | null = [];
  #receive: (message: unknown) => void = () => {};
  #die: (cause: unknown) => void = () => {};
  #ended: () => void = () => {};
  readonly #exited = new Promise<void>((resolve) => {
    this.#ended = resolve;
  });

  constructor(script: WorkerScript) {
    this.#script = script;
  }

  start(): void {
    if (fileless.has(this.#script)) void this.#startText();
    else this.#startFile();
  }

  post(message: unknown, transfer: readonly unknown[] = []): void {
    const buffers = transfer as readonly ArrayBuffer[];
    this.#unanswered?.push({ message, transfer: buffers });
    this.#worker?.postMessage(message, buffers);
  }

  listen(onMessage: (message: unknown) => void, onDeath: (cause: unknown) => void): void {
    this.#receive = onMessage;
    this.#die = onDeath;
  }

  keepAlive(value: boolean): void {
    this.#isAlive = value;
    if (value) this.#worker?.ref();
    else this.#worker?.unref();
  }

  async terminate(): Promise<void> {
    this.#isWanted = false;
    await this.#worker?.terminate();
  }

  async finish(message: unknown): Promise<void> {
    this.#isWanted = false;
    this.#worker?.postMessage(message);
    this.#worker?.ref();
    await this.#exited;
  }

  #startFile(): void {
    try {
      const file = this.#script.file();
      if (!file) {
        void this.#startText(new Error('it is not there'));
        return;
      }
      const started = new Worker(file, this.#script.options);
      this.#adopt(started, (cause) => void this.#startText(cause));
    } catch (cause) {
      void this.#startText(cause as Error);
    }
  }

  async #startText(first?: Error): Promise<void> {
    fileless.add(this.#script);
    const fail = (cause: Error): void => {
      const why = first?.message ?? 'failed before';
      this.#die(new Error(`from its file: ${why}; from a text: ${cause.message}`, { cause }));
      this.#ended();
    };
    try {
      const text = await this.#script.text();
      if (!this.#isWanted) this.#ended();
      else this.#adopt(new Worker(text, { ...this.#script.options, eval: true }), fail);
    } catch (cause) {
      fail(cause as Error);
    }
  }

  #adopt(started: Worker, onFailure: (cause: Error) => void): void {
    this.#worker = started;
    if (!this.#isAlive) started.unref();
    started.on('message', (message) => {
      this.#unanswered = null;
      this.#receive(message);
    });
    const fail = (cause: Error): void => {
      if (this.#worker !== started || !this.#isWanted) return;
      if (!this.#unanswered) {
        this.#die(cause);
        return;
      }
      this.#worker = undefined;
      onFailure(cause);
    };
    started.on('error', fail);
    started.on('exit', (code) => {
      fail(new Error(`exit code ${code}`));
      if (this.#worker === started) this.#ended();
    });
    for (const { message, transfer } of this.#unanswered ?? [])
      started.postMessage(message, transfer);
  }
}
