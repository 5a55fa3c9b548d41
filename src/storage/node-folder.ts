import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../formats/node-file-error.js';
import type { Storage } from './storage.js';

/** A folder of the file system; it comes into being with its first file. */
export function folderStorage(path: string): Storage {
  return {
    name: path,
    read: (file) => found(join(path, file), (at) => readFile(at)),
    readRange: (file, offset, length) => found(join(path, file), (at) => readPart(at, offset, length)),
    size: (file) => found(join(path, file), sizeOf),
    async write(file, bytes) {
      await mkdir(path, { recursive: true });
      await writeSynced(join(path, file), bytes);
    },
    async replace(file, bytes) {
      await mkdir(path, { recursive: true });
      const temporary = join(path, `${file}.tmp`);
      await writeSynced(temporary, bytes);
      await rename(temporary, join(path, file));
      await syncFolder(path);
    },
    async list() {
      try {
        return await readdir(path);
      } catch (cause) {
        if ((cause as { code?: string }).code === 'ENOENT') return [];
        throw cause;
      }
    },
    delete: (file) => rm(join(path, file), { force: true }),
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

/** Of a file; a folder is refused as reading it is. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' });
  return found.size;
}

/** Most bytes of one call to the system. */
const READ_LIMIT = 1 << 30;

async function readPart(path: string, offset: number, length: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    // no more room than the file has bytes, whatever is asked for
    const bytes = new Uint8Array(Math.max(0, Math.min(length, (await handle.stat()).size - offset)));
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(READ_LIMIT, bytes.length - at), offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await handle.close();
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a rename durable; Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
