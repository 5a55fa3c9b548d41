import type { Progress, RunOptions } from '../run-options.js';
import { Problem, type ProblemDetails } from './problem.js';

/** A long call that goes on after its request was answered. */
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly collection: string;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  /** What it said last. */
  progress: Progress | null;
  readonly created: string;
  ended: string | null;
  /** What the call gave. */
  result: unknown;
  problem: ProblemDetails | null;
}

/** Jobs that have not ended, and those that have and are still told of. */
const MOST_RUNNING = 16;
const MOST_ENDED = 100;

/** The jobs of a server. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #controllers = new Map<string, AbortController>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #problemOf: (error: unknown, id: string) => ProblemDetails;
  readonly #running = new Set<Promise<void>>();

  constructor(problemOf: (error: unknown, id: string) => ProblemDetails) {
    this.#problemOf = problemOf;
  }

  get running(): number {
    return this.#controllers.size;
  }

  list(): Job[] {
    return [...this.#jobs.values()];
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Begins a job. Raises a problem where too many are under way. */
  start(
    kind: string,
    collection: string,
    work: (run: Required<RunOptions>) => Promise<unknown>,
  ): Job {
    if (this.#controllers.size >= MOST_RUNNING) {
      const problem = `${MOST_RUNNING} jobs are under way already; try again in a while`;
      throw new Problem(503, 'busy', problem, { 'retry-after': '30' });
    }
    const job: Job = {
      id: crypto.randomUUID(),
      kind,
      collection,
      state: 'running',
      progress: null,
      created: new Date().toISOString(),
      ended: null,
      result: null,
      problem: null,
    };
    const controller = new AbortController();
    this.#jobs.set(job.id, job);
    this.#controllers.set(job.id, controller);
    const running = this.#run(job, controller, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return job;
  }

  /** Stops a job where it has not ended; what it has not committed is left away. */
  cancel(id: string): void {
    this.#controllers.get(id)?.abort();
  }

  /** Stops all, and resolves when they have ended. */
  async close(): Promise<void> {
    for (const controller of this.#controllers.values()) controller.abort();
    await Promise.all(this.#running);
  }

  /** Calls `act` at every change of a job. Returns what takes that back. */
  watch(id: string, act: () => void): () => void {
    const acts = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, acts.add(act));
    return () => {
      acts.delete(act);
      if (acts.size === 0) this.#listeners.delete(id);
    };
  }

  async #run(
    job: Job,
    controller: AbortController,
    work: (run: Required<RunOptions>) => Promise<unknown>,
  ): Promise<void> {
    const { signal } = controller;
    const onProgress = (progress: Progress): void => {
      job.progress = progress;
      this.#tell(job.id);
    };
    try {
      job.result = await work({ signal, onProgress });
      job.state = 'done';
    } catch (error) {
      job.state = signal.aborted ? 'cancelled' : 'failed';
      if (!signal.aborted) job.problem = this.#problemOf(error, job.id);
    }
    job.ended = new Date().toISOString();
    this.#controllers.delete(job.id);
    this.#forgetOldest();
    this.#tell(job.id);
  }

  #tell(id: string): void {
    for (const act of [...(this.#listeners.get(id) ?? [])]) act();
  }

  #forgetOldest(): void {
    const ended = this.list().filter(({ state }) => state !== 'running');
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MOST_ENDED)))
      this.#jobs.delete(id);
  }
}
