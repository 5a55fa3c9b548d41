import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CREATE, READ } from '../bytes/node-regular-file.js';

/**
 * Writes a whole file where there is none; a link is none that could be followed. Raises EEXIST.
 * What it began it deletes when it fails.
 */
export async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, CREATE);
  try {
    try {
      await handle.writeFile(bytes);
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw error;
  }
}

/**
 * The same in place of what is there: a new file, so that who has the old one open reads on in
 * that.
 */
export async function writeOver(path: string, bytes: Uint8Array): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await writeNew(path, bytes);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || tries === 20) throw error;
    }
    await rm(path, { force: true });
  }
}

/** A folder that is open to be made durable; undefined where a system has no such call. */
export async function openForSync(path: string): Promise<FileHandle | undefined> {
  return process.platform === 'win32' ? undefined : open(path, 'r');
}

/** Makes the names in an open folder durable. Some file systems of networks cannot. */
export async function syncNames(folder: FileHandle | undefined): Promise<void> {
  await folder?.sync().catch((error: unknown) => {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error;
  });
}

/** Makes a file's content durable. */
export async function syncFile(path: string): Promise<void> {
  // Windows asks for the right to write
  const handle = await open(path, process.platform === 'win32' ? 'r+' : READ);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the names in a folder durable. Windows has no such call and needs none. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await openForSync(path);
  try {
    await syncNames(folder);
  } finally {
    await folder?.close();
  }
}

/**
 * Makes a folder, and those above it that are not there; the names of new ones are durable then.
 */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true }).catch(async (error: unknown) => {
    // what a recursive call says of a file system that is read-only
    if (codeOf(error) === 'ENOENT') await mkdir(path);
    throw error;
  });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let at = dirname(resolve(path)); ; at = dirname(at)) {
    // a folder may allow new names and yet not be opened
    await syncFolder(at).catch((error: unknown) => {
      if (!['EACCES', 'EPERM'].includes(codeOf(error))) throw error;
    });
    if (at === top || at === dirname(at)) return;
  }
}

/**
 * Gives a file the name of another, which is gone then, in one step. On Windows it waits a little
 * for those who are just reading that one.
 */
export async function renameOver(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await rename(from, to);
    } catch (error) {
      if (process.platform !== 'win32' || tries === 20 || !isBusy(error)) throw error;
      await setTimeout(5 * tries);
    }
  }
}

/** Whether Windows refuses because somebody has the file open. */
export function isBusy(error: unknown): boolean {
  return ['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error));
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code);
