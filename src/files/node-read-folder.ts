import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { absolutePath } from '../bytes/node-path.js';
import { badFile, invalidArgument, isLemurError, type LemurError } from '../errors.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { pacer } from '../pacer.js';
import type { PassageOptions } from '../passages/passage-rules.js';
import { showValue } from '../value-kind.js';
import { type FailedFiles, readerVersion } from './node-failed-files.js';
import { type FileText, fileText, notText } from './node-file-text.js';
import type { FolderFile, FolderFiles, FolderOptions, ListedFile } from './node-folder-file.js';
import { type SkipReason, walkFolder } from './node-folder-walk.js';
import { inLanes } from './node-in-lanes.js';
import { type FileKindName, kindOf } from './node-kinds.js';
import { asLemurError, isBlank, isBlankText, readBytes } from './node-read-bytes.js';

const OPTIONS: OptionNames<FolderOptions> = { maxBytes: true, onSkipped: true };
const MOST_BYTES = 2 ** 24;
/** Of those whose text is a small part of them, times as many. */
const PACKED = 4;
/** Of a hash that a file is listed with: what an index keeps of it. */
const DIGITS = 32;
/** Bytes that are hashed in one go. */
const HASHED_AT_ONCE = 1 << 18;
/** Files that are looked at a time. */
const LANES = 16;
/** Goes into the hashes: another way to read a kind makes other texts. */
const READERS: Readonly<Record<FileKindName, number>> = {
  ...{ markdown: 1, text: 1, html: 1, csv: 1, pdf: 1, docx: 1, unknown: 1, media: 0 },
};

/**
 * The files of a folder and those below it: Markdown, texts, source code, HTML, CSV, and what else
 * is text; `.pdf` by the package `unpdf` and `.docx` by `mammoth`, where these are installed. What
 * is hidden, in `.gitignore`, binary, a link out of the folder, too large or broken is left out and
 * counted, never the end. A pass rejects with 'not-found' and 'storage-failed' where the folder
 * itself is not to be had, 'invalid-argument' where a file is in its place. Raises that, too.
 *
 * @example
 * for await (const { id, text, metadata } of readFolder('notes/')) console.log(id, metadata.title);
 */
export function readFolder(path: string | URL, options: FolderOptions = {}): FolderFiles {
  checkOptions(options, OPTIONS, 'readFolder');
  const { maxBytes = MOST_BYTES, onSkipped } = options;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw invalidArgument(
      'maxBytes',
      `expected an integer of at least 1, got ${showValue(maxBytes)}`,
    );
  if (onSkipped !== undefined && typeof onSkipped !== 'function')
    throw invalidArgument('onSkipped', `expected a function, got ${showValue(onSkipped)}`);
  return new Folder(absolutePath(path, 'readFolder'), maxBytes, onSkipped, undefined);
}

/** The same with what failed before, which is not read again. */
export function folderFiles(
  path: string,
  onSkipped: FolderOptions['onSkipped'],
  failed: FailedFiles,
): FolderFiles {
  return new Folder(absolutePath(path, 'folder'), MOST_BYTES, onSkipped, failed);
}

/** Some files of a folder, by their paths from there, of which nothing else is said. */
export function someFiles(
  root: string,
  paths: readonly string[],
  onSkipped: FolderOptions['onSkipped'],
  failed: FailedFiles,
): FolderFiles {
  return new Folder(root, PACKED * MOST_BYTES, onSkipped, failed, paths);
}

/** A file's bytes and what is kept of them. */
interface LookedAt {
  readonly hash: string;
  readonly modified: string;
  readonly bytes: Uint8Array;
}

class Folder implements FolderFiles {
  readonly root: string;
  readonly passages: PassageOptions = {};
  reasons: Partial<Record<SkipReason, number>> = {};
  complete = true;
  readonly #maxBytes: number;
  readonly #onSkipped: FolderOptions['onSkipped'];
  readonly #failed: FailedFiles | undefined;
  /** The only files that are looked at. */
  readonly #only: readonly string[] | undefined;

  constructor(
    root: string,
    maxBytes: number,
    onSkipped: FolderOptions['onSkipped'],
    failed: FailedFiles | undefined,
    only?: readonly string[],
  ) {
    this.#only = only;
    this.root = root;
    this.#maxBytes = maxBytes;
    this.#onSkipped = onSkipped;
    this.#failed = failed;
  }

  get skipped(): number {
    return Object.values(this.reasons).reduce((sum, count) => sum + count, 0);
  }

  async *list(): AsyncGenerator<ListedFile, void, undefined> {
    for await (const { path, found } of this.#eachFile()) {
      const read = (): ReturnType<ListedFile['read']> => this.#read(path);
      if (found === 'keep') yield { id: path, hash: '', metadataHash: '', keep: true, read };
      else if (found) yield { id: path, ...listedHashes(found), read };
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FolderFile, void, undefined> {
    for await (const { path, found } of this.#eachFile()) {
      if (!found || found === 'keep') continue;
      const content = await this.#textOf(path, found);
      if (content && content.text.trim() !== '') yield { id: path, ...content, hash: found.hash };
    }
  }

  refuse(id: string, error: LemurError): void {
    this.#skip(id, 'unread', error);
  }

  /** Files in the order of the walk, a few looked at at a time. */
  #eachFile(): AsyncGenerator<{ path: string; found: LookedAt | 'keep' | undefined }> {
    this.reasons = {};
    this.complete = this.#only === undefined;
    const paths = this.#only === undefined ? this.#walk() : eachOf(this.#only);
    return inLanes(paths, LANES, async (path) => ({ path, found: await this.#look(path) }));
  }

  #walk(): AsyncIterable<string> {
    return walkFolder(this.root, {
      skip: (path, reason, error) =>
        this.#skip(path, reason, error === undefined ? undefined : asLemurError(path, error)),
      fail: (path, error) => {
        this.complete = false;
        this.#skip(path, 'unread', asLemurError(path, error));
      },
    });
  }

  /** undefined: it is left out; 'keep': it is there, and something is wrong with it. */
  async #look(path: string): Promise<LookedAt | 'keep' | undefined> {
    try {
      const kind = kindOf(path);
      const read =
        kind === 'media' ? undefined : await readBytes(join(this.root, path), this.#most(path));
      if (!read) {
        this.#skip(path, 'binary');
        return 'keep';
      }
      const { bytes, modified } = read;
      if (await isBlank(bytes)) return this.#skip(path, 'empty');
      const wrong = notText(kind, bytes);
      if (wrong === 'bad') throw badFile(path, 'not UTF-8');
      if (wrong) {
        this.#skip(path, 'binary');
        return 'keep';
      }
      const reader = `${kind} ${READERS[kind]}\0`;
      const hash = await hashOf(reader, bytes);
      const failed = await this.#failed?.find(await failureOf(path, hash));
      if (failed === '') return this.#skip(path, 'empty');
      if (failed !== undefined) throw badFile(path, failed);
      return { bytes, modified, hash };
    } catch (error) {
      this.#skip(
        path,
        isLemurError(error, 'unsupported') ? 'large' : 'unread',
        asLemurError(path, error),
      );
      return 'keep';
    }
  }

  async #read(path: string): ReturnType<ListedFile['read']> {
    const found = await this.#look(path);
    const content = found && found !== 'keep' ? await this.#textOf(path, found) : undefined;
    // it may have changed since it was listed
    return content && { ...content, ...listedHashes(found as LookedAt) };
  }

  async #textOf(
    path: string,
    { bytes, modified, hash }: LookedAt,
  ): Promise<Pick<FolderFile, 'text' | 'metadata'> | undefined> {
    let read: FileText;
    try {
      read = await fileText(path, bytes);
    } catch (error) {
      const known = asLemurError(path, error);
      // what is to be installed may be there the next time
      if (!isLemurError(known, 'missing-package'))
        await this.#failed?.keep(
          await failureOf(path, hash),
          known.message.replace(`${path}: `, ''),
        );
      this.#skip(path, 'unread', known);
      return undefined;
    }
    const { text, title, fields } = read;
    if (await isBlankText(text)) {
      await this.#failed?.keep(await failureOf(path, hash), '');
      this.#skip(path, 'empty');
    }
    const metadata = { ...fields, path, modified, ...(title && { title }) };
    return { text, metadata };
  }

  #most(path: string): number {
    const kind = kindOf(path);
    const isPacked = this.#only === undefined && (kind === 'pdf' || kind === 'docx');
    return isPacked ? PACKED * this.#maxBytes : this.#maxBytes;
  }

  #skip(path: string, reason: SkipReason, error?: LemurError): undefined {
    this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
    this.#onSkipped?.({ path, reason, ...(error && { error }) });
  }
}

async function* eachOf<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

/** Of how it is read, and the bytes. Gives way to other work. */
async function hashOf(reader: string, bytes: Uint8Array): Promise<string> {
  const pace = pacer();
  const hash = createHash('sha256').update(reader);
  for (let at = 0; at < bytes.length; at += HASHED_AT_ONCE) {
    hash.update(bytes.subarray(at, at + HASHED_AT_ONCE));
    await pace();
  }
  return hash.digest('hex');
}

/** What a failure is known by: another version of what reads the file may read it. */
async function failureOf(path: string, hash: string): Promise<string> {
  const kind = kindOf(path);
  const version = kind === 'pdf' || kind === 'docx' ? await readerVersion(kind) : '';
  return createHash('sha256').update(`${hash} ${version}`).digest('hex');
}

/** The first digits, as many as an index keeps. */
function listedHashes({ hash, modified }: LookedAt): Pick<ListedFile, 'hash' | 'metadataHash'> {
  const metadataHash = createHash('sha256').update(`metadata 1 ${modified}`).digest('hex');
  return { hash: hash.slice(0, DIGITS), metadataHash: metadataHash.slice(0, DIGITS) };
}
