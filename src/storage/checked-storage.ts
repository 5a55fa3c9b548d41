import { type LemurError, storageFailed } from '../errors.js';
import { describeKind, kindOf } from '../value-kind.js';
import type { ReadableStorage, Storage, StorageLock, StoredFile } from './storage.js';

/**
 * A storage whose answers are of the right kinds, or 'storage-failed' that names the call: storages
 * are the caller's too.
 */
export function checkedStorage(storage: Storage): Storage {
  const { name, path, read, open } = checkedReading(storage);
  return {
    name,
    path,
    read,
    open,
    write: async (...of) => storage.write(...of),
    replace: async (...of) => storage.replace(...of),
    async list() {
      const names: unknown = await storage.list();
      if (Array.isArray(names) && names.every((one) => typeof one === 'string')) return names;
      throw wrongAnswer(name, 'list()', 'an array of names', names);
    },
    delete: async (file) => storage.delete(file),
    sync: async () => storage.sync(),
    async lock(file) {
      const lock: StorageLock = await storage.lock(file);
      if (hasMethods(lock, 'release')) return lock;
      throw wrongAnswer(name, 'lock()', 'a lock with release()', lock);
    },
  };
}

/** The reading calls of a storage alone, with the same checks. */
export function checkedReading(storage: ReadableStorage): ReadableStorage {
  const name = typeof storage.name === 'string' ? storage.name : 'storage';
  return {
    name,
    path: typeof storage.path === 'string' ? storage.path : undefined,
    read: async (file) => checkedBytes(name, 'read()', await storage.read(file)),
    async open(file) {
      const opened: StoredFile = await storage.open(file);
      if (!hasMethods(opened, 'read', 'close'))
        throw wrongAnswer(name, 'open()', 'a file with size, read() and close()', opened);
      const { size } = opened;
      if (!Number.isSafeInteger(size) || size < 0)
        throw wrongAnswer(name, "an opened file's size", 'a number of bytes', size);
      return {
        name: `${name}/${file}`,
        size,
        inMemory: opened.inMemory === true,
        get descriptor() {
          return opened.descriptor;
        },
        read: async (offset, count) =>
          checkedBytes(name, "an opened file's read()", await opened.read(offset, count)),
        close: async () => opened.close(),
      };
    },
  };
}

function checkedBytes(name: string, call: string, value: Uint8Array): Uint8Array {
  if (kindOf(value) === 'Uint8Array') return value;
  throw wrongAnswer(name, call, 'a Uint8Array', value);
}

function wrongAnswer(name: string, call: string, expected: string, value: unknown): LemurError {
  const problem = `${call} gave ${describeKind(value)}, expected ${expected}`;
  return storageFailed(name, problem);
}

function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  );
}
