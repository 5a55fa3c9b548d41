import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readWhole } from '../bytes/node-file.js';
import { fileError, isAbsent, writeError } from '../bytes/node-file-error.js';
import { absolutePath, isUrlObject } from '../bytes/node-path.js';
import { createReplacement } from '../bytes/node-replacement.js';
import { LemurError } from '../errors.js';
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
import type { Storage } from './storage.js';

/**
 * A folder of the file system by its path or `file:` URL; it comes into being with its first file.
 * A relative path means what it means now. While a lock is held a folder that is gone is not made
 * again. Raises 'invalid-argument' for what is no path.
 */
export function folderStorage(at: string | URL): Storage {
  const path = absolutePath(at, 'folder');
  /**
   * Files written since the last sync. One that the system could not sync keeps that error: it
   * would not say so a second time.
   */
  const unsynced = new Map<string, { failure?: unknown }>();
  /** Whether names came or went since the last sync. */
  let renamed = false;
  /** Locks that are held. */
  let held = 0;
  const ready = async (): Promise<void> => {
    if (held === 0) await makeFolder(path);
  };
  const name = isUrlObject(at) || /^file:/i.test(at) ? path : at;
  return {
    name,
    read: (file) => readWhole(join(path, file)),
    open: (file) => openStoredFile(join(path, file), `${name}/${file}`),
    write: (file, bytes, { create = false } = {}) =>
      changed(join(path, file), 'written', async (at) => {
        await ready();
        renamed = true;
        if (!create) unsynced.delete(file);
        try {
          await (create ? writeNew : writeOver)(at, bytes);
        } catch (cause) {
          if (!create || (cause as { code?: unknown }).code !== 'EEXIST') throw cause;
          throw new LemurError(
            'already-exists',
            `${at}: a file of this name is there already`,
            { where: at },
            { cause },
          );
        }
        unsynced.set(file, {});
      }),
    replace: (file, bytes, check) =>
      changed(join(path, file), 'replaced', async (at) => {
        await ready();
        // before anything is replaced: afterwards there may be no descriptor left for it
        const folder = await openForSync(path);
        try {
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
          unsynced.delete(file);
          await syncNames(folder);
        } finally {
          await folder?.close();
        }
      }),
    async list() {
      try {
        return await readdir(path);
      } catch (cause) {
        const code = (cause as { code?: string }).code;
        if (code === 'ENOENT') return [];
        if (code === 'ENOTDIR')
          throw new LemurError(
            'not-found',
            `${path}: a file, expected a folder`,
            { where: path },
            { cause },
          );
        throw fileError(path, cause);
      }
    },
    delete: (file) =>
      changed(join(path, file), 'deleted', async (at) => {
        try {
          await unlink(at);
          renamed = true;
        } catch (error) {
          if (process.platform === 'win32' && isBusy(error)) return;
          if (!isAbsent(error)) throw error;
        }
        unsynced.delete(file);
      }),
    async sync() {
      const names = renamed;
      renamed = false;
      try {
        for (const [file, entry] of [...unsynced]) {
          await changed(join(path, file), 'synced', async (at) => {
            if ('failure' in entry) throw entry.failure;
            await syncFile(at).catch((error: unknown) => {
              // deleted by others
              if (isAbsent(error)) return;
              if ((error as { syscall?: unknown }).syscall === 'fsync') entry.failure = error;
              throw error;
            });
          });
          // unless it was written again meanwhile
          if (unsynced.get(file) === entry) unsynced.delete(file);
        }
        if (names) await changed(path, 'synced', syncFolder);
      } catch (error) {
        renamed ||= names;
        throw error;
      }
    },
    lock: (file) =>
      changed(join(path, file), 'locked', async (at) => {
        await makeFolder(path);
        const lock = await lockFile(at);
        held++;
        return releaseOnce(
          async () => {
            await lock.release();
            held--;
          },
          async () => lock.confirm?.(),
        );
      }),
  };
}

/** What `change` gives; 'storage-failed' says what could not be done. */
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
