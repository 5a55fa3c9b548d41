import { badFile, isLemurError, LemurError, notFound } from '../../errors.js';
import type { CheckpointFile, CheckpointFiles } from './checkpoint-files.js';
import { checkWhole, isSettings } from './downloaded-file.js';
import type { HubCache } from './hub-cache.js';
import { download, reasonOf } from './hub-download.js';
import { checkEndpoint, checkRevision, type HubOptions, hubUrl } from './hub-options.js';
import { askHub, type ExpectedFile, type HubAnswer } from './hub-request.js';
import type { ModelReference } from './model-reference.js';

/**
 * Milliseconds after which it is asked again whether a file is there: one answer may have been a
 * mistake.
 */
const ABSENCE = 3_600_000;

/**
 * The files of a model on the hub. Each is downloaded when it is asked for first, held to its
 * length and hash, kept, and taken from there from then on; settings without a hash only if a
 * checkpoint could be loaded with them. That there is none is kept once the checkpoint has been
 * loaded, asked again after an hour, and believed where the hub cannot be reached. Rejects with
 * 'not-found' for a model that is not there, 'offline' where the hub gives no right answer,
 * 'storage-failed' where a file cannot be kept.
 */
export function hubFiles(id: string, cache: HubCache, options: HubOptions): CheckpointFiles {
  checkRevision(options.revision ?? 'main');
  checkEndpoint(options.endpoint);
  return new HubFiles(id, cache, options);
}

class HubFiles implements CheckpointFiles {
  readonly name: string;
  readonly model: ModelReference;
  readonly open: CheckpointFiles['open'];
  readonly #cache: HubCache;
  readonly #options: HubOptions;
  readonly #found = new Map<string, CheckpointFile | undefined>();
  readonly #absent: string[] = [];
  /** Settings that came without a hash: whatever is JSON may be in their place. */
  readonly #unproven: string[] = [];
  #isOffline = false;

  constructor(id: string, cache: HubCache, options: HubOptions) {
    this.name = id;
    const { revision = 'main' } = options;
    this.model = revision === 'main' ? { hub: id } : { hub: id, revision };
    this.open = cache.open;
    this.#cache = cache;
    this.#options = options;
  }

  names(): ReturnType<CheckpointFiles['names']> {
    return this.#cache.names();
  }

  async find(name: string): Promise<CheckpointFile | undefined> {
    if (
      name.split('/').some((part) => part === '' || part === '.' || part === '..') ||
      /[\\\0:]/.test(name)
    ) {
      const problem = `a file ${JSON.stringify(name)}, expected one in the checkpoint`;
      throw badFile(this.name, problem);
    }
    if (!this.#found.has(name)) this.#found.set(name, await this.#lookUp(name));
    return this.#found.get(name);
  }

  async settle(): Promise<void> {
    for (const name of this.#absent.splice(0)) await this.#cache.keepAbsent(name);
    this.#unproven.splice(0);
  }

  async reject(): Promise<void> {
    for (const name of this.#unproven.splice(0)) {
      this.#found.delete(name);
      await this.#cache.forget(name);
    }
  }

  async #lookUp(name: string): Promise<CheckpointFile | undefined> {
    const kept = await this.#cache.find(name);
    if (kept && 'place' in kept) return kept;
    if (kept && (this.#isOffline || kept.age < ABSENCE)) return undefined;
    let answer: HubAnswer;
    try {
      answer = await this.#ask(name);
    } catch (cause) {
      this.#options.signal?.throwIfAborted();
      this.#isOffline = true;
      // what was known is better than nothing, for who has no network
      if (kept) return undefined;
      throw this.#unreachable(name, reasonOf(cause), cause);
    }
    if (this.#isThere(answer, name)) return this.#keep(name, answer);
    this.#absent.push(name);
    return undefined;
  }

  #ask(name: string): Promise<HubAnswer> {
    const { token, fetch: get = fetch, signal } = this.#options;
    const { seesRedirects } = this.#cache;
    const address = hubUrl(this.name, name, this.#options);
    return askHub(address, { token, fetch: get, signal, seesRedirects });
  }

  /** Raises 'not-found' and 'offline'. */
  #isThere({ response }: HubAnswer, name: string): boolean {
    const { status, statusText, headers, body } = response;
    if (status === 200 && body) {
      if (!headers.get('content-type')?.startsWith('text/html')) return true;
      const problem =
        'a page came in its place (text/html), of the network that asks to sign in, or of a proxy';
      throw this.#unreachable(name, problem);
    }
    // a model that is not there, or not for everybody, is answered so for all its files
    const said = headers.get('x-error-code');
    const isModel =
      said === 'EntryNotFound' ||
      (name !== 'config.json' && said !== 'RepoNotFound' && said !== 'RevisionNotFound');
    if (status === 404 && isModel) return false;
    if (status !== 404 && status !== 401 && status !== 403)
      throw this.#unreachable(name, `${status} ${statusText}`);
    const asked = `${status} for ${name}, revision ${this.#options.revision ?? 'main'}`;
    const problem = `the hub has no such model, or not for everybody (${asked})`;
    throw notFound(this.name, problem);
  }

  #keep(name: string, answer: HubAnswer): Promise<CheckpointFile> {
    const chunks = download(name, answer, (...about) => this.#unreachable(...about), this.#options);
    return this.#cache.keep(name, chunks, (file) => this.#check(name, file, answer.expected));
  }

  /** Raises 'offline' where it is not the file that the hub has. */
  async #check(name: string, file: CheckpointFile, { hash }: ExpectedFile): Promise<void> {
    const source = await this.#cache.open(file);
    const isGit = hash?.kind === 'git';
    const before = new TextEncoder().encode(isGit ? `blob ${source.size}\0` : '');
    const got = hash && (await this.#cache.hash(isGit ? 'sha1' : 'sha256', before, file));
    if (got !== undefined && got !== hash?.digits) {
      const problem =
        `what came has the hash ${got}, expected ${hash?.digits}: ` + 'it was changed on its way';
      throw this.#unreachable(name, problem);
    }
    try {
      await checkWhole(name, source);
    } catch (cause) {
      if (!isLemurError(cause, 'bad-file')) throw cause;
      throw this.#unreachable(name, `what came is not the file: ${cause.message}`, cause);
    }
    if (got === undefined && isSettings(name)) this.#unproven.push(name);
  }

  #unreachable(name: string, reason: string, cause?: unknown): LemurError {
    const problem =
      `${name} is not in ${this.#cache.where}, and could not be downloaded: ` + `${reason}`;
    const message =
      `${this.name}: ${problem}; without a network, ` +
      "copy the model's files to a folder and name that";
    const options = cause === undefined ? {} : { cause };
    return new LemurError('offline', message, { where: this.name }, options);
  }
}
