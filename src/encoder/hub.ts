import { LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import type { CheckpointFile, CheckpointFiles } from './checkpoint-files.js';

/** Where ids lead to where nothing else is said. */
const ENDPOINT = 'https://huggingface.co';

export interface HubOptions extends RunOptions {
  /** A branch, tag or commit. Default: `main`. */
  revision?: string | undefined;
  /** Address of a hub, or of a mirror of it. Default: in Node the environment's HF_ENDPOINT, else Hugging Face's. */
  endpoint?: string | undefined;
  /** For models that are not for everybody. Default: in Node the environment's HF_TOKEN. */
  token?: string | undefined;
  /** What gets files. Default: the platform's. */
  fetch?: typeof fetch | undefined;
}

export const HUB_OPTIONS: OptionNames<HubOptions> = { revision: true, endpoint: true, token: true, fetch: true, ...RUN_OPTIONS };

/** What is kept of one model's files at one revision. */
export interface HubCache extends Pick<CheckpointFiles, 'open' | 'names'> {
  /** Where it is kept, for messages. */
  readonly where: string;
  /** null: it is known that the model has no file of that name; undefined: nothing is known. */
  find(name: string): Promise<CheckpointFile | null | undefined>;
  /** Keeps a file when all of it has come; where the chunks fail, nothing is left of it and the failure goes on. */
  keep(name: string, chunks: AsyncIterable<Uint8Array>): Promise<CheckpointFile>;
  keepAbsent(name: string): Promise<void>;
}

/** Whether it can be the id of a model on the hub: `owner/name`. */
export function isHubId(model: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model);
}

/** Where the hub has a file. */
export function hubUrl(id: string, name: string, { revision = 'main', endpoint = ENDPOINT }: HubOptions): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  return `${endpoint.replace(/\/$/, '')}/${id}/resolve/${encodeURIComponent(revision)}/${path}`;
}

/**
 * The files of a model on the hub. Each is downloaded when it is asked for first, kept, and taken from there from then on, as is that there is none; a
 * download that is cut off leaves nothing. Rejects with 'not-found' for a model that is not there, and 'offline' where the hub cannot be reached.
 */
export function hubFiles(id: string, cache: HubCache, options: HubOptions): CheckpointFiles {
  const { revision = 'main', token, fetch: get = fetch, signal, onProgress } = options;
  return {
    name: id,
    open: cache.open,
    names: () => cache.names(),
    async find(name) {
      const kept = await cache.find(name);
      if (kept !== undefined) return kept ?? undefined;
      const response = await request(name);
      if (response) return cache.keep(name, download(response, name));
      await cache.keepAbsent(name);
      return undefined;
    },
  };

  /** undefined: there is no such file. */
  async function request(name: string): Promise<Response | undefined> {
    let response: Response;
    try {
      response = await get(hubUrl(id, name, options), {
        ...(signal && { signal }),
        ...(token && { headers: { authorization: `Bearer ${token}` } }),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable(name, cause instanceof Error ? cause.message : String(cause), cause);
    }
    if (response.ok && response.body) return response;
    // a model that is not there, or not for everybody, is answered so for all its files
    if (response.status === 404 && name !== 'config.json') return undefined;
    if (response.status === 404 || response.status === 401 || response.status === 403) {
      const message = `${id}: the hub has no such model, or not for everybody (${response.status} for ${name}, revision ${revision})`;
      throw new LemurError('not-found', message, { where: id });
    }
    throw unreachable(name, `${response.status} ${response.statusText}`);
  }

  async function* download(response: Response, name: string): AsyncGenerator<Uint8Array> {
    const total = Number(response.headers.get('content-length') ?? 0);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let done = 0;
    try {
      for (;;) {
        const { value: chunk } = await next(reader, name);
        signal?.throwIfAborted();
        if (!chunk) break;
        yield chunk;
        done += chunk.length;
        onProgress?.({ stage: `download ${name}`, done, total });
      }
    } finally {
      // where it is left early
      await reader.cancel().catch(() => {});
    }
    if (total > 0 && done !== total && !response.headers.get('content-encoding'))
      throw unreachable(name, `it ended after ${done} of ${total} bytes`);
  }

  async function next(reader: ReadableStreamDefaultReader<Uint8Array>, name: string): Promise<{ value?: Uint8Array | undefined }> {
    try {
      return await reader.read();
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable(name, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  function unreachable(name: string, reason: string, cause?: unknown): LemurError {
    const message = `${id}: ${name} is not in ${cache.where}, and could not be downloaded: ${reason}; without a network, copy the model's files to a folder and name that`;
    return new LemurError('offline', message, { where: id }, cause === undefined ? {} : { cause });
  }
}
