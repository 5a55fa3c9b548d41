import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { LemurError } from '../errors.js';
import { isAbsent } from '../formats/node-file-error.js';
import type { RunOptions } from '../run-options.js';
import type { CheckpointFiles } from './node-files.js';

/** Where ids lead to where nothing else is said. */
const HUB = 'https://huggingface.co';

export interface HubOptions extends RunOptions {
  /** Where files are kept. Default: `lemur` in the user's folder of caches. */
  cacheFolder?: string | undefined;
  /** A branch, tag or commit. Default: `main`. */
  revision?: string | undefined;
  /** What gets files. Default: the platform's. */
  fetch?: typeof fetch | undefined;
}

/** Whether it can be the id of a model on the hub: `owner/name`. */
export function isHubId(model: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model);
}

/**
 * The files of a model on the hub. Each is downloaded when it is asked for first, kept, and taken from there from then on, as is that there is none; a
 * download that is cut off leaves nothing. Rejects with 'not-found' for a model that is not there, and 'offline' where the hub cannot be reached.
 */
export function hubFiles(
  id: string,
  { cacheFolder, revision = 'main', fetch: get = fetch, signal, onProgress }: HubOptions = {},
): CheckpointFiles {
  const folder = join(cacheFolder ?? defaultCache(), ...id.split('/'), encodeURIComponent(revision));
  return {
    name: id,
    names: () => readdir(folder).catch(() => []),
    async find(name) {
      const path = join(folder, name);
      const absent = `${path}.absent`;
      if (await exists(path)) return path;
      if (await exists(absent)) return undefined;
      const response = await request(name);
      await mkdir(dirname(path), { recursive: true });
      if (response === undefined) {
        await writeFile(absent, '');
        return undefined;
      }
      await download(response, path, name);
      return path;
    },
  };

  /** undefined: there is no such file. */
  async function request(name: string): Promise<Response | undefined> {
    const url = `${HUB}/${id}/resolve/${encodeURIComponent(revision)}/${name.split('/').map(encodeURIComponent).join('/')}`;
    let response: Response;
    try {
      response = await get(url, signal ? { signal } : {});
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable(id, name, folder, cause instanceof Error ? cause.message : String(cause), cause);
    }
    if (response.ok && response.body) return response;
    // a model that is not there, or not for everybody, is answered so for all its files
    if (response.status === 404 && name !== 'config.json') return undefined;
    if (response.status === 404 || response.status === 401 || response.status === 403) {
      const message = `${id}: the hub has no such model, or not for everybody (${response.status} for ${name}, revision ${revision})`;
      throw new LemurError('not-found', message, { where: id });
    }
    throw unreachable(id, name, folder, `${response.status} ${response.statusText}`);
  }

  async function download(response: Response, path: string, name: string): Promise<void> {
    const total = Number(response.headers.get('content-length') ?? 0);
    const part = `${path}.${process.pid}.part`;
    const file = await open(part, 'w');
    let done = 0;
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        signal?.throwIfAborted();
        await file.write(chunk);
        done += chunk.length;
        onProgress?.({ stage: `download ${name}`, done, total });
      }
      signal?.throwIfAborted();
      if (total > 0 && done !== total && !response.headers.get('content-encoding'))
        throw unreachable(id, name, folder, `it ended after ${done} of ${total} bytes`);
      await file.sync();
    } catch (error) {
      await file.close();
      await rm(part, { force: true });
      signal?.throwIfAborted();
      if (error instanceof LemurError) throw error;
      throw unreachable(id, name, folder, error instanceof Error ? error.message : String(error), error);
    }
    await file.close();
    await rename(part, path);
  }
}

function unreachable(id: string, name: string, folder: string, reason: string, cause?: unknown): LemurError {
  const message = `${id}: ${name} is not in ${folder}, and could not be downloaded: ${reason}; without a network, copy the model's files to a folder and name that`;
  return new LemurError('offline', message, { where: id }, cause === undefined ? {} : { cause });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (isAbsent(error)) return false;
      throw error;
    },
  );
}

function defaultCache(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const base = XDG_CACHE_HOME || (process.platform === 'win32' && LOCALAPPDATA) || join(homedir(), '.cache');
  return join(base, 'lemur');
}
