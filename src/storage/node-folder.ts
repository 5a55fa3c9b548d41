import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readWhole } from '../bytes/node-file.js';
import { fileError, isAbsent, writeError } from '../bytes/node-file-error.js';
import { absolutePath, isUrlObject } from '../bytes/node-path.js';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { createReplacement } from '../bytes/node-replacement.js';
import { LemurError, notFound } from '../errors.js';
import {
  isBusy,
  makeFolder,
  openForSync,
  renameOver,
  syncFile,
  syncFolder,
  syncNames,
  writeNew,
  writeOver,
} from './node-durable.js';
import { lockFile } from './node-lock.js';
import { openStoredFile } from './node-stored-file.js';
import { releaseOnce } from './release-once.js';
import type { Storage, StorageLock, StoredFile } from './storage.js';

/**
 * A folder of the file system by its path or `file:` URL; it comes into being with its first file.
 * A relative path means what it means now. While a lock is held a folder that is gone is not made
 * again. Raises 'invalid-argument' for what is no path.
 */
export function folderStorage(at: string | URL): Storage {
  const path = absolutePath(at, 'folder');
  const folder = new Folder(path, isUrlObject(at) || /^file:/i.test(at) ? path : at);
  // by itself each call may be handed on
  return {
    name: folder.name,
    path,
    read: (file) => folder.read(file),
    open: (file) => folder.open(file),
    write: (...of) => folder.write(...of),
    replace: (...of) => folder.replace(...of),
    list: () => folder.list(),
    delete: (file) => folder.delete(file),
    sync: () => folder.sync(),
    lock: (file) => folder.lock(file),
  };
}

class Folder implements Storage {
  readonly name: string;
  readonly #path: string;
  /**
   * Files written since the last sync. One that the system could not sync keeps that error: it
   * would not say so a second time.
   */
  readonly #unsynced = new Map<string, { failure?: unknown }>();
  /** Whether names came or went since the last sync. */
  #renamed = false;
  /** Locks that are held. */
  #held = 0;

  constructor(path: string, name: string) {
    this.#path = path;
    this.name = name;
  }

  read(file: string): Promise<Uint8Array> {
    return readWhole(this.#at(file));
  }

  open(file: string): Promise<StoredFile> {
    return openStoredFile(this.#at(file), `${this.name}/${file}`);
  }

  write(file: string, bytes: Uint8Array, { create = false } = {}): Promise<void> {
    return changed(this.#at(file), 'written', async (at) => {
      await this.#makeIfFree();
      this.#renamed = true;
      if (!create) this.#unsynced.delete(file);
      try {
        await (create ? writeNew : writeOver)(at, bytes);
      } catch (cause) {
        throw create && codeOf(cause) === 'EEXIST' ? isThere(at, cause) : cause;
      }
      this.#unsynced.set(file, {});
    });
  }

  replace(file: string, bytes: Uint8Array, check?: () => Promise<void>): Promise<void> {
    return changed(this.#at(file), 'replaced', async (at) => {
      await this.#makeIfFree();
      // before anything is replaced: afterwards there may be no descriptor left for it
      const folder = await openForSync(this.#path);
      try {
        await replaceFile(at, bytes, check);
        this.#unsynced.delete(file);
        await syncNames(folder);
      } finally {
        await folder?.close();
      }
    });
  }

  async list(): Promise<string[]> {
    const where = this.#path;
    try {
      return await readdir(where);
    } catch (cause) {
      const code = codeOf(cause);
      if (code === 'ENOENT' && (await whatLiesAt(where)) === undefined) return [];
      if (code === 'ENOENT') throw notFound(where, 'a link that leads nowhere', cause);
      if (code !== 'ENOTDIR') throw fileError(where, cause);
      const problem = 'a file, expected a folder';
      throw notFound(where, problem, cause);
    }
  }

  delete(file: string): Promise<void> {
    return changed(this.#at(file), 'deleted', async (at) => {
      try {
        await unlink(at);
        this.#renamed = true;
      } catch (error) {
        if (process.platform === 'win32' && isBusy(error)) return;
        if (!isAbsent(error)) throw error;
      }
      this.#unsynced.delete(file);
    });
  }

  async sync(): Promise<void> {
    const names = this.#renamed;
    this.#renamed = false;
    try {
      for (const [file, entry] of [...this.#unsynced]) {
        await changed(this.#at(file), 'synced', (at) => syncOnce(at, entry));
        // unless it was written again meanwhile
        if (this.#unsynced.get(file) === entry) this.#unsynced.delete(file);
      }
      if (names) await changed(this.#path, 'synced', syncFolder);
    } catch (error) {
      this.#renamed ||= names;
      throw error;
    }
  }

  lock(file: string): Promise<StorageLock> {
    return changed(this.#at(file), 'locked', async (at) => {
      await makeFolder(this.#path);
      const lock = await lockFile(at);
      this.#held++;
      const release = async (): Promise<void> => {
        await lock.release();
        this.#held--;
      };
      return releaseOnce(release, async () => lock.confirm?.());
    });
  }

  #at(file: string): string {
    return join(this.#path, file);
  }

  async #makeIfFree(): Promise<void> {
    if (this.#held === 0) await makeFolder(this.#path);
  }
}

/** Replaces a file in one step; `check` is called right before it. */
async function replaceFile(
  at: string,
  bytes: Uint8Array,
  check: (() => Promise<void>) | undefined,
): Promise<void> {
  const { file: made, temporary, discard } = await createReplacement(at);
  try {
    await made.writeFile(bytes);
    await made.sync();
    await made.close();
    await check?.();
    // in a folder that took the place of this one there is no such file
    await renameOver(temporary, at);
  } catch (error) {
    await discard().catch(() => {});
    throw error;
  }
}

/** Syncs a file, unless others have deleted it; what failed once fails again. */
async function syncOnce(at: string, entry: { failure?: unknown }): Promise<void> {
  if ('failure' in entry) throw entry.failure;
  await syncFile(at).catch((error: unknown) => {
    if (isAbsent(error)) return;
    if ((error as { syscall?: unknown }).syscall === 'fsync') entry.failure = error;
    throw error;
  });
}

function isThere(where: string, cause: unknown): LemurError {
  const problem = 'a file of this name is there already';
  return new LemurError('already-exists', `${where}: ${problem}`, { where }, { cause });
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/** The result of `change`; 'storage-failed' says what could not be done. */
async function changed<T>(
  path: string,
  done: string,
  change: (path: string) => Promise<T>,
): Promise<T> {
  try {
    return await change(path);
  } catch (cause) {
    throw writeError(path, done, cause);
  }
}
