import { close, fstat, open, read, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import { fileError } from '../bytes/node-file-error.js';
import { checkRegular, READ } from '../bytes/node-regular-file.js';
import { LemurError } from '../errors.js';
import type { StoredFile } from './storage.js';

// plain descriptors: a FileHandle that is collected closes its number under the threads that read
// by it
const openFile = promisify(open);
const statFile = promisify(fstat) as (descriptor: number) => Promise<Stats>;
const readFile = promisify(read) as (
  ...of: [descriptor: number, into: Uint8Array, offset: number, length: number, position: number]
) => Promise<{ bytesRead: number }>;
const closeFile = promisify(close);

/** Most bytes of one call to the system. */
const READ_LIMIT = 1 << 30;

/**
 * Opens a file of the file system. Rejects with 'not-found' where there is none, and for a folder,
 * a named pipe or a device; it never waits.
 */
export async function openStoredFile(path: string): Promise<StoredFile> {
  try {
    const descriptor = await openFile(path, READ);
    try {
      const stats = await statFile(descriptor);
      checkRegular(stats);
      return storedFile(path, descriptor, stats.size);
    } catch (error) {
      await closeFile(descriptor);
      throw error;
    }
  } catch (cause) {
    throw fileError(path, cause);
  }
}

function storedFile(path: string, descriptor: number, size: number): StoredFile {
  /** Reads under way: the number may mean another file once it is closed. */
  const reads = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  return {
    size,
    get descriptor() {
      return closing ? undefined : descriptor;
    },
    async read(offset, length) {
      if (closing) throw new LemurError('closed', `${path}: the file was closed`, { where: path });
      // no more room than the file has bytes, whatever is asked for
      const result = readPart(descriptor, offset, Math.max(0, Math.min(length, size - offset)));
      reads.add(result);
      try {
        return await result;
      } catch (cause) {
        throw fileError(path, cause);
      } finally {
        reads.delete(result);
      }
    },
    close() {
      closing ??= Promise.allSettled(reads).then(() => closeFile(descriptor));
      return closing;
    },
  };
}

async function readPart(descriptor: number, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await readFile(
      descriptor,
      bytes,
      at,
      Math.min(READ_LIMIT, length - at),
      offset + at,
    );
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}
