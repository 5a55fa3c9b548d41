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
 * a named pipe or a device; it never waits. `name` is for messages.
 */
export async function openStoredFile(path: string, name: string = path): Promise<StoredFile> {
  try {
    const descriptor = await openFile(path, READ);
    try {
      const stats = await statFile(descriptor);
      checkRegular(stats);
      return new NodeFile(path, descriptor, stats.size, name);
    } catch (error) {
      await closeFile(descriptor);
      throw error;
    }
  } catch (cause) {
    throw fileError(path, cause);
  }
}

class NodeFile implements StoredFile {
  readonly name: string;
  readonly size: number;
  readonly #path: string;
  readonly #descriptor: number;
  /** Reads under way: the number may mean another file once it is closed. */
  readonly #reads = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(path: string, descriptor: number, size: number, name: string) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.size = size;
    this.name = name;
  }

  get descriptor(): number | undefined {
    return this.#closing ? undefined : this.#descriptor;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const where = this.#path;
    if (this.#closing) throw new LemurError('closed', `${where}: the file was closed`, { where });
    // no more room than the file has bytes, whatever is asked for
    const most = Math.max(0, Math.min(length, this.size - offset));
    const result = readPart(this.#descriptor, offset, most);
    this.#reads.add(result);
    try {
      return await result;
    } catch (cause) {
      throw fileError(where, cause);
    } finally {
      this.#reads.delete(result);
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#reads).then(() => closeFile(this.#descriptor));
    return this.#closing;
  }
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
