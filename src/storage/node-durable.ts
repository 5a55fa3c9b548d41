import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Writes a whole file; with `sync` its content is durable then. What it began it deletes when it fails. Flag 'wx': where there is none. */
export async function writeFile(
  path: string,
  bytes: Uint8Array,
  { sync, flag = 'w' }: { sync: boolean; flag?: 'w' | 'wx' },
): Promise<void> {
  const handle = await open(path, flag);
  try {
    try {
      await handle.writeFile(bytes);
      if (sync) await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw error;
  }
}

/** Makes a file's content durable. */
export async function syncFile(path: string): Promise<void> {
  // Windows asks for the right to write
  await withHandle(await open(path, process.platform === 'win32' ? 'r+' : 'r'), (handle) => handle.sync());
}

/** Makes the names in a folder durable. Windows has no such call and needs none; nor have some file systems of networks. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await withHandle(await open(path, 'r'), (handle) => handle.sync()).catch((error: unknown) => {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error;
  });
}

/** Makes a folder, and those above it that are not there; the names of new ones are durable then. */
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

/** Gives a file the name of another, which is gone then, in one step. On Windows it waits a little for those who are just reading that one. */
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

async function withHandle(handle: FileHandle, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}
