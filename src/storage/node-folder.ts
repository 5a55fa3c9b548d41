import { readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, isAbsent, writeError } from '../formats/node-file-error.js';
import { isBusy, makeFolder, renameOver, syncFile, syncFolder, writeFile } from './node-durable.js';
import { lockFile } from './node-lock.js';
import { isFolder, openStoredFile } from './node-stored-file.js';
import type { Storage } from './storage.js';

/** A folder of the file system; it comes into being with its first file. */
export function folderStorage(path: string): Storage {
  /** Files written since the last sync. One that the system could not sync keeps that error: it would not say so a second time. */
  const unsynced = new Map<string, { failure?: unknown }>();
  /** Whether names came or went since the last sync. */
  let renamed = false;
  return {
    name: path,
    read: (file) => found(join(path, file), (at) => readFile(at)),
    async readRange(file, offset, length) {
      const opened = await openStoredFile(join(path, file));
      try {
        return await opened.read(offset, length);
      } finally {
        await opened.close();
      }
    },
    size: (file) => found(join(path, file), sizeOf),
    open: (file) => openStoredFile(join(path, file)),
    write: (file, bytes) =>
      changed(join(path, file), 'written', async (at) => {
        await makeFolder(path);
        renamed = true;
        unsynced.delete(file);
        await writeFile(at, bytes, { sync: false });
        unsynced.set(file, {});
      }),
    replace: (file, bytes) =>
      changed(join(path, file), 'replaced', async (at) => {
        await makeFolder(path);
        const temporary = `${at}.tmp`;
        await writeFile(temporary, bytes, { sync: true });
        try {
          await renameOver(temporary, at);
        } catch (error) {
          await rm(temporary, { force: true }).catch(() => {});
          throw error;
        }
        unsynced.delete(file);
        await syncFolder(path);
      }),
    async list() {
      try {
        return await readdir(path);
      } catch (cause) {
        if ((cause as { code?: string }).code === 'ENOENT') return [];
        throw cause;
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
        return lockFile(at);
      }),
  };
}

/** What `read` gives of a file that is there. */
async function found<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/** What `change` gives; 'storage-failed' says what could not be done. */
async function changed<T>(path: string, done: string, change: (path: string) => Promise<T>): Promise<T> {
  try {
    return await change(path);
  } catch (cause) {
    throw writeError(path, done, cause);
  }
}

/** Of a file; a folder is refused as reading it is. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isDirectory()) throw isFolder(path);
  return found.size;
}
