import { onAbort } from '../../abortable.js';
import type { Index } from '../../collection/index.js';
import {
  COMPACT_OPTIONS,
  FIT_INDEX_OPTIONS,
  TUNE_OPTIONS,
} from '../../collection/options/option-names.js';
import { checkOptions } from '../../known-options.js';
import type { RunOptions } from '../../run-options.js';
import { type Answer, bodyOf, type Exchange, json, streamed, writableIn } from '../exchange.js';
import type { Job } from '../jobs.js';
import { noSuch } from '../problem.js';

/** Calls that take minutes, and what they take besides `signal` and `onProgress`. */
const KINDS: Readonly<
  Record<
    'fit' | 'tune' | 'compact',
    {
      readonly options: Readonly<Record<string, true>>;
      readonly run: (index: Index, options: RunOptions) => Promise<unknown>;
    }
  >
> = {
  fit: { options: FIT_INDEX_OPTIONS, run: (index, options) => index.fit(options) },
  tune: { options: TUNE_OPTIONS, run: (index, options) => index.tune(options) },
  compact: { options: COMPACT_OPTIONS, run: (index, options) => index.compact(options) },
};

/** A signal of life for proxies between client and server. */
const KEEP_ALIVE_MS = 15_000;

/** Begins a job: `Index.fit`, `Index.tune` or `Index.compact`. */
export function startJob(kind: keyof typeof KINDS): Answer {
  const { options: all, run } = KINDS[kind];
  const { signal: _signal, onProgress: _progress, ...known } = all;
  return async (exchange) => {
    const { index, name } = writableIn(exchange);
    const body = exchange.request.body ? await bodyOf(exchange) : {};
    checkOptions(body, known, kind);
    const job = exchange.served.jobs.start(kind, name, async (running) => {
      const result = await run(index, { ...body, ...running });
      // facts of the collection, less the paths of this machine
      const { roots: _roots, ...facts } = result as { roots?: unknown };
      return facts;
    });
    return json(job, 202, { location: `/jobs/${job.id}` });
  };
}

/** Jobs that are under way, and the last ones that have ended. */
export async function listJobs({ served }: Exchange): Promise<Response> {
  return json({ jobs: served.jobs.list() });
}

/** How far a job is, or what it gave. */
export async function getJob(exchange: Exchange): Promise<Response> {
  return json(jobIn(exchange));
}

/** Stops a job. */
export async function cancelJob(exchange: Exchange): Promise<Response> {
  const job = jobIn(exchange);
  exchange.served.jobs.cancel(job.id);
  return json(job, 202);
}

/**
 * A job as server-sent events: `progress` as often as it says something and the client reads, then
 * `done`, `failed` or `cancelled`, each with the job. The job goes on when the client leaves.
 */
export async function watchJob(exchange: Exchange): Promise<Response> {
  const job = jobIn(exchange);
  return streamed(exchange, 'text/event-stream', async (send, left) => {
    let wake = (): void => {};
    const forget = [
      exchange.served.jobs.watch(job.id, () => wake()),
      onAbort(left, () => wake()),
      onAbort(exchange.signal, () => wake()),
    ];
    const isOver = (): boolean => left.aborted || exchange.signal.aborted;
    try {
      while (job.state === 'running' && !isOver()) {
        const changed = nextChange((act) => {
          wake = act;
        });
        await send(eventOf('progress', job));
        if (!(await changed)) await send(': still there\n\n');
      }
      if (job.state !== 'running') await send(eventOf(job.state, job));
    } finally {
      for (const one of forget) one();
    }
  });
}

/** Resolves at the next change, or after a while: false then. */
function nextChange(listen: (act: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), KEEP_ALIVE_MS);
    listen(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function eventOf(name: string, job: Job): string {
  return `event: ${name}\ndata: ${JSON.stringify(job)}\n\n`;
}

function jobIn({ served, params }: Exchange): Job {
  const job = served.jobs.get(params.id);
  if (!job) throw noSuch('no job of this id');
  return job;
}
