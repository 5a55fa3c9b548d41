import { LemurError } from '../errors.js';
import { releaseOnce } from './release-once.js';
import type { Storage, StoredFile } from './storage.js';

/** A storage that lives as long as this object. Its locks are within it. */
export function memoryStorage(name = 'memory'): Storage {
  const files = new Map<string, Uint8Array>();
  /** When each lock that is held was taken. */
  const locks = new Map<string, string>();
  // copies: slice() of a Node Buffer would be a view
  const put = async (file: string, bytes: Uint8Array): Promise<void> => void files.set(file, new Uint8Array(bytes));
  const get = (file: string): Uint8Array => {
    const bytes = files.get(file);
    if (!bytes) throw new LemurError('not-found', `${name}: no file ${file}`, { where: `${name}/${file}` });
    return bytes;
  };
  return {
    name,
    read: async (file) => get(file).slice(),
    readRange: async (file, offset, length) => get(file).slice(offset, offset + length),
    size: async (file) => get(file).length,
    open: async (file) => openedBytes(get(file), `${name}/${file}`),
    write: put,
    replace: put,
    list: async () => [...files.keys()],
    async delete(file) {
      files.delete(file);
    },
    async sync() {},
    async lock(file) {
      const since = locks.get(file);
      if (since) {
        const owner = `somebody in this process since ${since}`;
        throw new LemurError('locked', `${name}/${file}: locked by ${owner}`, { where: `${name}/${file}`, owner });
      }
      locks.set(file, new Date().toISOString());
      return releaseOnce(async () => void locks.delete(file));
    },
  };
}

/** Bytes that nobody changes, as an opened file. */
function openedBytes(bytes: Uint8Array, where: string): StoredFile {
  let closed = false;
  return {
    size: bytes.length,
    async read(offset, length) {
      if (closed) throw new LemurError('closed', `${where}: the file was closed`, { where });
      return bytes.slice(offset, offset + length);
    },
    descriptor: undefined,
    async close() {
      closed = true;
    },
  };
}
