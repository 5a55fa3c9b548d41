import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants;
// Windows has neither
const O_NONBLOCK = constants.O_NONBLOCK ?? 0;
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0;

/**
 * Flags for reading what may be no regular file: a named pipe is opened at once, whoever writes to
 * it.
 */
export const READ: number = O_RDONLY | O_NONBLOCK;
/** Flags for reading that do not follow a link. */
export const READ_NO_LINK: number = READ | O_NOFOLLOW;
/** Flags for a file that must not be there, as a link either. */
export const CREATE: number = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** The tests that tell the kinds of files apart. */
interface FileStats {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** Raises what `fileError` and `writeError` put into words, for anything but a regular file. */
export function checkRegular(stats: FileStats): void {
  if (!stats.isFile()) throw notAFile(kindOf(stats));
}

/** An error that says what lies where a file should: 'a folder', 'a link'. */
export function notAFile(kind: string): Error {
  return Object.assign(new Error(`${kind}, expected a file`), { code: 'ENOTFILE', kind });
}

function kindOf(stats: FileStats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/**
 * Opens a regular file for reading. Raises the system's error, or that of `checkRegular`; never
 * waits.
 */
export async function openRegular(path: string, flags: number = READ): Promise<FileHandle> {
  const file = await open(path, flags);
  try {
    checkRegular(await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
