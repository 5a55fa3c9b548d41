import { LemurError } from '../errors.js';
import type { Storage } from './storage.js';

/** A storage that lives as long as this object. */
export function memoryStorage(name = 'memory'): Storage {
  const files = new Map<string, Uint8Array>();
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
    write: put,
    replace: put,
    list: async () => [...files.keys()],
    async delete(file) {
      files.delete(file);
    },
  };
}
