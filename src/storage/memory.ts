import { checkText } from '../bytes/check-text.js';
import { copyPaced } from '../bytes/copy-bytes.js';
import { ownBytes } from '../bytes/typed-array.js';
import { LemurError, storageFailed } from '../errors.js';
import { releaseOnce } from './release-once.js';
import type { Storage, StoredFile } from './storage.js';

/** A storage that lives as long as this object. Its locks are within it. */
export function memoryStorage(name = 'memory'): Storage {
  checkText(name, 'memoryStorage: name');
  const files = new Map<string, Uint8Array>();
  /** When each lock that is held was taken. */
  const locks = new Map<string, { since: string }>();
  const copyOf = (file: string, bytes: Uint8Array): Promise<Uint8Array> =>
    copyPaced(ownBytes(bytes, `${name}/${file}`));
  const checkNew = (file: string): void => {
    if (files.has(file))
      throw new LemurError('already-exists', `${name}: a file ${file} is there already`, {
        where: `${name}/${file}`,
      });
  };
  const get = (file: string): Uint8Array => {
    const bytes = files.get(file);
    if (!bytes)
      throw new LemurError('not-found', `${name}: no file ${file}`, { where: `${name}/${file}` });
    return bytes;
  };
  return {
    name,
    read: async (file) => copyPaced(get(file)),
    open: async (file) => openedBytes(get(file), `${name}/${file}`),
    async write(file, bytes, { create = false } = {}) {
      if (create) checkNew(file);
      const copy = await copyOf(file, bytes);
      // another call may have come first by now
      if (create) checkNew(file);
      files.set(file, copy);
    },
    async replace(file, bytes, check) {
      const copy = await copyOf(file, bytes);
      await check?.();
      files.set(file, copy);
    },
    list: async () => [...files.keys()],
    async delete(file) {
      files.delete(file);
    },
    async sync() {},
    async lock(file) {
      const held = locks.get(file);
      const where = `${name}/${file}`;
      if (held) {
        const owner = `somebody in this process since ${held.since}`;
        throw new LemurError('locked', `${where}: locked by ${owner}`, { where, owner });
      }
      const mine = { since: new Date().toISOString() };
      locks.set(file, mine);
      return releaseOnce(
        async () => void locks.delete(file),
        async () => {
          if (locks.get(file) !== mine) throw storageFailed(where, 'the lock was given back');
        },
      );
    },
  };
}

/** Bytes that nobody changes, as an opened file. */
function openedBytes(bytes: Uint8Array, where: string): StoredFile {
  let closed = false;
  return {
    name: where,
    size: bytes.length,
    inMemory: true,
    async read(offset, length) {
      if (closed) throw new LemurError('closed', `${where}: the file was closed`, { where });
      return copyPaced(bytes.subarray(offset, offset + length));
    },
    async close() {
      closed = true;
    },
  };
}
