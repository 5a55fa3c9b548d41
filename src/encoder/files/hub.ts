import { abortable } from '../../abortable.js';
import { isLemurError, LemurError } from '../../errors.js';
import type { OptionNames } from '../../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../../run-options.js';
import type { CheckpointFile, CheckpointFiles } from './checkpoint-files.js';
import { beginsAsPage, checkWhole, isSettings } from './downloaded-file.js';
import { askHub, type ExpectedFile, type HubAnswer } from './hub-request.js';

/** Where ids lead to where nothing else is said. */
const ENDPOINT = 'https://huggingface.co';
/**
 * Milliseconds after which it is asked again whether a file is there: one answer may have been a
 * mistake.
 */
const ABSENCE = 3_600_000;

export interface HubOptions extends RunOptions {
  /** A branch, tag or commit. Default: `main`. */
  revision?: string | undefined;
  /**
   * Address of a hub, or of a mirror of it. Default: in Node the environment's HF_ENDPOINT, else
   * Hugging Face's.
   */
  endpoint?: string | undefined;
  /** For models that are not for everybody. Default: in Node the environment's HF_TOKEN. */
  token?: string | undefined;
  /** What gets files. Default: the platform's. */
  fetch?: typeof fetch | undefined;
}

export const HUB_OPTIONS: OptionNames<HubOptions> = {
  revision: true,
  endpoint: true,
  token: true,
  fetch: true,
  ...RUN_OPTIONS,
};

/** The hub said that there is no such file, so many milliseconds ago. */
export interface Absence {
  readonly age: number;
}

/** What is kept of one model's files at one revision. */
export interface HubCache extends Pick<CheckpointFiles, 'open' | 'names'> {
  /** Where it is kept, for messages. */
  readonly where: string;
  /** Whether an answer that leads elsewhere is seen; pages follow it unseen. */
  readonly seesRedirects: boolean;
  /** undefined: nothing is known. */
  find(name: string): Promise<CheckpointFile | Absence | undefined>;
  /**
   * Keeps a file when all of it has come and `check` has nothing against it; where the chunks or
   * the check fail, nothing is left of it and the failure goes on. Several may keep the same file
   * at once. Rejects with 'storage-failed'.
   */
  keep(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    check: (file: CheckpointFile) => Promise<void>,
  ): Promise<CheckpointFile>;
  /** Where that is not possible it is asked for again. */
  keepAbsent(name: string): Promise<void>;
  /** Keeps a file no longer; it may not be there. */
  forget(name: string): Promise<void>;
  /**
   * Of some bytes and the file behind them, in hexadecimal digits; undefined where there are no
   * hashes.
   */
  hash(
    kind: 'sha1' | 'sha256',
    before: Uint8Array,
    file: CheckpointFile,
  ): Promise<string | undefined>;
}

/** Whether it can be the id of a model on the hub: `owner/name`. */
export function isHubId(model: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model);
}

/** Where the hub has a file. */
export function hubUrl(
  id: string,
  name: string,
  { revision = 'main', endpoint = ENDPOINT }: HubOptions,
): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  return `${endpoint.replace(/\/$/, '')}/${id}/resolve/${encodeURIComponent(revision)}/${path}`;
}

/**
 * Raises 'invalid-argument' for what can be no branch, tag or commit, so that no path leads out of
 * the cache.
 */
export function checkRevision(revision: unknown): void {
  const right =
    typeof revision === 'string' &&
    revision.length <= 200 &&
    revision.split('/').every((part) => /^[\w+@=-][\w.+@=-]*$/.test(part));
  if (right) return;
  const got =
    typeof revision === 'string' ? JSON.stringify(revision.slice(0, 200)) : typeof revision;
  throw new LemurError(
    'invalid-argument',
    `revision: expected a branch, tag or commit, got ${got}`,
    { where: 'revision' },
  );
}

function checkEndpoint(endpoint: string | undefined): void {
  if (endpoint === undefined || /^https?:\/\/[^/]/.test(endpoint)) return;
  throw new LemurError(
    'invalid-argument',
    `endpoint: expected an address of http or https, got ${JSON.stringify(endpoint)}`,
    {
      where: 'endpoint',
    },
  );
}

/**
 * The files of a model on the hub. Each is downloaded when it is asked for first, held to its
 * length and hash, kept, and taken from there from then on; settings without a hash only if a
 * checkpoint could be loaded with them. That there is none is kept once the checkpoint has been
 * loaded, asked again after an hour, and believed where the hub cannot be reached. Rejects with
 * 'not-found' for a model that is not there, 'offline' where the hub gives no right answer,
 * 'storage-failed' where a file cannot be kept.
 */
export function hubFiles(id: string, cache: HubCache, options: HubOptions): CheckpointFiles {
  const { revision = 'main', token, fetch: get = fetch, signal, onProgress } = options;
  checkRevision(revision);
  checkEndpoint(options.endpoint);
  const found = new Map<string, CheckpointFile | undefined>();
  const absent: string[] = [];
  /** Settings that came without a hash: whatever is JSON may be in their place. */
  const unproven: string[] = [];
  let offline = false;
  return {
    name: id,
    open: cache.open,
    names: () => cache.names(),
    async find(name) {
      if (
        name.split('/').some((part) => part === '' || part === '.' || part === '..') ||
        /[\\\0:]/.test(name)
      )
        throw new LemurError(
          'bad-file',
          `${id}: a file ${JSON.stringify(name)}, expected one in the checkpoint`,
          { where: id },
        );
      if (!found.has(name)) found.set(name, await lookUp(name));
      return found.get(name);
    },
    async settle() {
      for (const name of absent.splice(0)) await cache.keepAbsent(name);
      unproven.splice(0);
    },
    async reject() {
      for (const name of unproven.splice(0)) {
        found.delete(name);
        await cache.forget(name);
      }
    },
  };

  async function lookUp(name: string): Promise<CheckpointFile | undefined> {
    const kept = await cache.find(name);
    if (kept && 'place' in kept) return kept;
    if (kept && (offline || kept.age < ABSENCE)) return undefined;
    let answer: HubAnswer;
    try {
      answer = await askHub(hubUrl(id, name, options), {
        token,
        fetch: get,
        signal,
        seesRedirects: cache.seesRedirects,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      offline = true;
      // what was known is better than nothing, for who has no network
      if (kept) return undefined;
      throw unreachable(name, reasonOf(cause), cause);
    }
    if (isThere(answer, name)) return keep(name, answer);
    absent.push(name);
    return undefined;
  }

  /** Raises 'not-found' and 'offline'. */
  function isThere({ response }: HubAnswer, name: string): boolean {
    const { status, statusText, headers, body } = response;
    const said = headers.get('x-error-code');
    if (status === 200 && body) {
      if (!headers.get('content-type')?.startsWith('text/html')) return true;
      throw unreachable(
        name,
        'a page came in its place (text/html), of the network that asks to sign in, or of a proxy',
      );
    }
    // a model that is not there, or not for everybody, is answered so for all its files
    const isModel =
      said === 'EntryNotFound' ||
      (name !== 'config.json' && said !== 'RepoNotFound' && said !== 'RevisionNotFound');
    if (status === 404 && isModel) return false;
    if (status !== 404 && status !== 401 && status !== 403)
      throw unreachable(name, `${status} ${statusText}`);
    const message = `${id}: the hub has no such model, or not for everybody (${status} for ${name}, revision ${revision})`;
    throw new LemurError('not-found', message, { where: id });
  }

  function keep(name: string, { response, expected }: HubAnswer): Promise<CheckpointFile> {
    return cache.keep(name, download(response, expected, name), async ({ place }) => {
      const file = { where: name, place };
      const source = await cache.open(file);
      const { hash } = expected;
      const before =
        hash?.kind === 'git'
          ? new TextEncoder().encode(`blob ${source.size}\0`)
          : new Uint8Array(0);
      const got = hash && (await cache.hash(hash.kind === 'git' ? 'sha1' : 'sha256', before, file));
      if (got !== undefined && got !== hash?.digits)
        throw unreachable(
          name,
          `what came has the hash ${got}, expected ${hash?.digits}: it was changed on its way`,
        );
      try {
        await checkWhole(name, source);
      } catch (cause) {
        if (!isLemurError(cause, 'bad-file')) throw cause;
        throw unreachable(name, `what came is not the file: ${cause.message}`, cause);
      }
      if (got === undefined && isSettings(name)) unproven.push(name);
    });
  }

  async function* download(
    response: Response,
    expected: ExpectedFile,
    name: string,
  ): AsyncGenerator<Uint8Array> {
    const encoded = response.headers.get('content-encoding');
    const length = encoded ? 0 : Number(response.headers.get('content-length') ?? 0);
    const total = expected.size ?? length;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let done = 0;
    try {
      for (;;) {
        const { value: chunk } = await next(reader, name);
        signal?.throwIfAborted();
        if (!chunk) break;
        if (done === 0 && beginsAsPage(chunk)) throw unreachable(name, 'a page came in its place');
        yield chunk;
        done += chunk.length;
        onProgress?.({ stage: `download ${name}`, done, total });
      }
    } finally {
      // where it is left early; it need not answer
      reader.cancel().catch(() => {});
    }
    for (const size of [length, expected.size ?? 0])
      if (size > 0 && done !== size)
        throw unreachable(name, `it ended after ${done} of ${size} bytes`);
  }

  async function next(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    name: string,
  ): Promise<{ value?: Uint8Array | undefined }> {
    try {
      return await abortable(reader.read(), signal);
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable(name, reasonOf(cause), cause);
    }
  }

  function unreachable(name: string, reason: string, cause?: unknown): LemurError {
    const message = `${id}: ${name} is not in ${cache.where}, and could not be downloaded: ${reason}; without a network, copy the model's files to a folder and name that`;
    return new LemurError('offline', message, { where: id }, cause === undefined ? {} : { cause });
  }
}

/** `fetch failed` alone tells nobody anything. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { cause: behind } = cause;
  return behind instanceof Error && behind.message !== ''
    ? `${cause.message} (${behind.message})`
    : cause.message;
}
