import { openSync } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileError, isAbsent } from './node-file-error.js';
import { READ } from './node-regular-file.js';

/** Paths of what this process has open. */
const OPEN = /^\/(dev\/(fd\/\d+|stdin)|proc\/(self|\d+)\/fd\/\d+)$/;

/** The kind of thing at a path; undefined: nothing. */
export type PathContent =
  | 'file'
  | 'folder'
  // one that is open already, such as a shell's <(...): it can be read once
  | 'pipe'
  // a device, a socket, another pipe, a link that leads nowhere
  | 'other';

/** Raises as `openFile` does for a path that cannot be looked at. */
export async function whatLiesAt(path: string): Promise<PathContent | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'folder';
    if (found.isFile()) return 'file';
    return found.isFIFO() && OPEN.test(path) ? 'pipe' : 'other';
  } catch (error) {
    if (!isAbsent(error)) throw fileError(path, error);
    return (await lstat(path).catch(() => undefined)) && 'other';
  }
}

/**
 * The bytes that come from a pipe which is open already. Nothing is read before they are asked for.
 */
export function openPipe(path: string): Readable {
  try {
    // as a stream of the system: a thread that waits for a pipe would keep the process from ending
    return new Socket({ fd: openSync(path, READ), readable: true, writable: false });
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/**
 * Names of what is in a folder. Raises 'not-found' where there is none, else 'storage-failed' with
 * the system's reason.
 */
export async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    throw fileError(path, cause, 'folder');
  }
}
