import { LemurError } from '../../../errors.js';
import { type KernelMemory, sendMemory } from '../../../kernels/memory.js';
import type { Platform, WorkerPort } from '../../../platform.js';
import type { FromWorker, ToWorker } from '../protocol.js';
import { HeldMessages } from './held-messages.js';
import { type Job, type JobOptions, runAlone, runShared } from './jobs.js';
import { PendingReplies } from './pending-replies.js';
import { StartedWorkers } from './started-workers.js';

/**
 * Workers that run jobs. Messages to a worker arrive in order, so what a job needs is simply sent
 * before it. When a worker ends that nobody has ended, calls under way reject with 'worker-failed';
 * where memory is shared, the next call starts workers anew.
 */
export interface Pool {
  readonly threads: number;
  /** Whether it was closed, or has lost the worker whose memory it was. */
  readonly dead: boolean;
  /** Whether jobs are under way. */
  readonly busy: boolean;
  /** To all workers, before the next job or request. */
  broadcast(message: ToWorker, transfer?: readonly ArrayBufferLike[]): void;
  run(job: Job, options?: JobOptions): Promise<void>;
  /**
   * Asks a worker for values: of a file, or, where memory is not shared, of any tensor without
   * parts.
   */
  request(
    message: Extract<ToWorker, { type: 'read' }>,
  ): Promise<Extract<FromWorker, { type: 'data' }>>;
  /**
   * What workers that are started in place of lost ones are told, where memory is shared: the
   * tensors that there are.
   */
  onRestart(known: () => Iterable<ToWorker>): void;
  /** Resolves when every job under way now has ended. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** What a pool is made of. */
export interface PoolSettings {
  platform: Platform;
  /** More than one with shared memory alone. */
  threads: number;
  /** null: the plain kernels. */
  module: WebAssembly.Module | null;
  /** Kernels beside the module; null: none. */
  relaxed: WebAssembly.Module | null;
  /** Shared by all; null: a single worker has its own. */
  memory: KernelMemory | null;
  guardScratch: boolean;
}

/** Starts the workers. Rejects with 'worker-failed'. */
export async function createPool(settings: PoolSettings): Promise<Pool> {
  const pool = new WorkerPool(settings);
  await pool.start();
  return pool;
}

class WorkerPool implements Pool {
  readonly threads: number;
  readonly #settings: PoolSettings;
  readonly #replies = new PendingReplies();
  readonly #running = new Set<Promise<unknown>>();
  readonly #held = new HeldMessages(() => this.#post([]));
  #workers: StartedWorkers | undefined;
  /**
   * Why there are no workers any more: it was closed, or they have taken their memory with them.
   */
  #death: LemurError | undefined;
  /** Resolves when those that were lost have ended; undefined: they live. */
  #lost: { error: LemurError; ended: Promise<unknown> } | undefined;
  #restarted: Promise<void> | undefined;
  #known: () => Iterable<ToWorker> = () => [];

  constructor(settings: PoolSettings) {
    this.threads = settings.threads;
    this.#settings = settings;
  }

  get dead(): boolean {
    return this.#death !== undefined;
  }

  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** New workers, which know the tensors of those before. */
  async start(): Promise<void> {
    const { platform, module, relaxed, memory, guardScratch } = this.#settings;
    const ports = Array.from({ length: this.threads }, () => platform.spawnWorker());
    const sent = memory && sendMemory(memory);
    this.#held.clear();
    const messages: ToWorker[] = [
      { type: 'start', module, relaxed, memory: sent, guardScratch },
      ...this.#known(),
    ];
    const present = (): boolean => this.#workers?.ports === ports;
    this.#lost = undefined;
    const workers = new StartedWorkers(ports, messages, {
      receive: (message) => {
        if (present()) this.#replies.receive(message);
      },
      lose: (error) => {
        if (present()) this.#lose(error);
      },
    });
    this.#workers = workers;
    if (this.busy) for (const port of ports) port.keepAlive(true);
    try {
      await this.#track(workers.ready);
    } catch (error) {
      this.#lose(error as LemurError);
      throw error;
    }
  }

  broadcast(message: ToWorker, transfer?: readonly ArrayBufferLike[]): void {
    // new ones are told of what there is by then
    if (this.#lost) return;
    if (this.#settings.memory) this.#held.add(message);
    else for (const port of this.#ports) port.post(message, transfer);
  }

  run(job: Job, options: JobOptions = {}): Promise<void> {
    if (this.#death) return Promise.reject(this.#death);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    const runner = {
      threads: this.threads,
      post: (messages: readonly ToWorker[]) => this.#post(messages),
      nextJob: () => this.#replies.next(),
      expect: (id: number, replies: number) => this.#expect(id, replies),
    };
    const runJob = this.#settings.memory ? runShared : runAlone;
    const go = (): Promise<void> => runJob(runner, job, options);
    return this.#track(this.#lost || this.#restarted ? this.#restart().then(go) : go());
  }

  onRestart(known: () => Iterable<ToWorker>): void {
    this.#known = known;
  }

  async request(
    message: Extract<ToWorker, { type: 'read' }>,
  ): Promise<Extract<FromWorker, { type: 'data' }>> {
    if (!this.#death && (this.#lost || this.#restarted)) await this.#track(this.#restart());
    const id = this.#replies.next();
    const reply = this.#track(this.#expect(id, 1));
    this.#post([{ ...message, request: id }]);
    return (await reply)[0] as Extract<FromWorker, { type: 'data' }>;
  }

  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    this.#death ??= new LemurError('closed', 'the device was closed', { where: 'device' });
    this.#replies.failAll(this.#death);
    this.#workers?.abandon(this.#death);
    await Promise.all(this.#ports.map((port) => port.terminate()));
  }

  /** A message to each of the first workers, behind what is held for all. */
  #post(messages: readonly ToWorker[]): void {
    const news = this.#held.take();
    for (const [i, port] of this.#ports.entries()) {
      const own = messages[i] ?? null;
      if (news) port.post({ type: 'news', news, next: own } satisfies ToWorker);
      else if (own) port.post(own);
    }
  }

  get #ports(): readonly WorkerPort[] {
    return this.#workers?.ports ?? [];
  }

  #expect(id: number, replies: number): Promise<FromWorker[]> {
    const gone = this.#death ?? this.#lost?.error;
    return gone ? Promise.reject(gone) : this.#replies.expect(id, replies);
  }

  /**
   * One worker ended. The others may be in the middle of the same job: none goes on, and until all
   * have ended no memory is given to anybody else.
   */
  #lose(error: LemurError): void {
    if (this.#death || this.#lost) return;
    if (!this.#settings.memory) this.#death = error;
    const ended = Promise.all(this.#ports.map((port) => port.terminate()));
    this.#lost = { error, ended };
    this.#replies.failAll(error);
    void this.#track(ended);
  }

  /** Starts workers anew when some were lost; a failure is for the next call to try again. */
  #restart(): Promise<void> {
    this.#restarted ??= this.#startAnew();
    return this.#restarted;
  }

  async #startAnew(): Promise<void> {
    try {
      await this.#lost?.ended;
      if (this.#death) throw this.#death;
      await this.start();
    } finally {
      this.#restarted = undefined;
    }
  }

  /** Workers keep the process alive while they have work, and only then. */
  #track<T>(promise: Promise<T>): Promise<T> {
    if (!this.busy) for (const port of this.#ports) port.keepAlive(true);
    const ended = promise
      .catch(() => undefined)
      .then(() => {
        this.#running.delete(ended);
        if (!this.busy) for (const port of this.#ports) port.keepAlive(false);
      });
    this.#running.add(ended);
    return promise;
  }
}
