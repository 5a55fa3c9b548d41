import { realpath } from 'node:fs/promises';
import { fileError } from '../bytes/node-file-error.js';
import { openRegular, READ_NO_LINK } from '../bytes/node-regular-file.js';
import { badFile, isLemurError, LemurError, unsupported } from '../errors.js';

/** Bytes that tell whether a large file is a text. */
const HEAD = 4096;
/** Characters of what a reader says. */
const MOST_SAID = 200;

/** Whether there is nothing but white space. */
export function isBlank(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0x20 && !(byte >= 9 && byte <= 13)) return false;
  return true;
}

/**
 * A regular file of at most so many bytes. undefined for a larger one that is no text; rejects with
 * 'unsupported' for one that is.
 */
export async function readBytes(
  path: string,
  most: number,
): Promise<{ bytes: Uint8Array; modified: string } | undefined> {
  try {
    // the walk has seen that it leads nowhere else
    const file = await openRegular(await realpath(path), READ_NO_LINK);
    try {
      const { size, mtimeMs } = await file.stat();
      if (size > most) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
        if (buffer.subarray(0, bytesRead).includes(0)) return undefined;
        throw unsupported(path, `${size} bytes, expected at most ${most}`);
      }
      const bytes = await file.readFile();
      return { bytes, modified: new Date(Math.floor(mtimeMs)).toISOString() };
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/** Whatever a reader raises as an error of ours that names the file. */
export function asLemurError(path: string, error: unknown): LemurError {
  if (isLemurError(error, 'missing-package')) return error;
  if (!isLemurError(error)) {
    const problem = error instanceof Error ? error.message : String(error);
    return badFile(path, `could not be read: ${problem.slice(0, MOST_SAID)}`, error);
  }
  const { code, message, cause } = error;
  const { where } = error.fields;
  const problem = message.startsWith(`${where}: `) ? message.slice(where.length + 2) : message;
  return new LemurError(code, `${path}: ${problem}`, { ...error.fields, where: path }, { cause });
}
