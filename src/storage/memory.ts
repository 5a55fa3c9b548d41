import { LemurError } from '../errors.js';
import type { Storage } from './storage.js';

/** A storage that lives as long as this object. */
export function memoryStorage(name = 'memory'): Storage {
  const files = new Map<string, Uint8Array>();
  const put = async (file: string, bytes: Uint8Array): Promise<void> => void files.set(file, bytes.slice());
  return {
    name,
    async read(file) {
      const bytes = files.get(file);
      if (!bytes) throw new LemurError('not-found', `${name}: no file ${file}`, { where: `${name}/${file}` });
      return bytes.slice();
    },
    write: put,
    replace: put,
    list: async () => [...files.keys()],
    async delete(file) {
      files.delete(file);
    },
  };
}
