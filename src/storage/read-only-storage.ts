import { LemurError } from '../errors.js';
import type { ReadableStorage, Storage } from './storage.js';

/** The calls of a storage that can be written, besides those that read. */
export const WRITING_CALLS = ['write', 'replace', 'list', 'delete', 'sync', 'lock'] as const;

/**
 * A storage that can only be read, as one whose other calls reject with 'read-only'; it lists no
 * files.
 */
export function readOnlyStorage(storage: ReadableStorage): Storage {
  const { name, path } = storage;
  const refuse = async (): Promise<never> => {
    const expected = WRITING_CALLS.map((call) => `${call}()`).join(', ');
    const problem = `a storage with read() and open() alone, expected one with ${expected}`;
    throw new LemurError('read-only', `${name}: it cannot be written: ${problem}`, { where: name });
  };
  return {
    name,
    path,
    read: (file) => storage.read(file),
    open: (file) => storage.open(file),
    list: async () => [],
    write: refuse,
    replace: refuse,
    delete: refuse,
    sync: refuse,
    lock: refuse,
  };
}
