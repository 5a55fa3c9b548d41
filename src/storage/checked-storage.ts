import { LemurError } from '../errors.js';
import { describeKind, kindOf } from '../value-kind.js';
import type { Storage, StorageLock, StoredFile } from './storage.js';

/**
 * A storage whose answers are of the right kinds, or 'storage-failed' that names the call: storages
 * are the caller's too.
 */
export function checkedStorage(storage: Storage): Storage {
  const name = typeof storage.name === 'string' ? storage.name : 'storage';
  const gave = (call: string, expected: string, value: unknown): LemurError =>
    new LemurError(
      'storage-failed',
      `${name}: ${call} gave ${describeKind(value)}, expected ${expected}`,
      { where: name },
    );
  const bytes = (call: string, value: Uint8Array): Uint8Array => {
    if (kindOf(value) === 'Uint8Array') return value;
    throw gave(call, 'a Uint8Array', value);
  };
  const length = (call: string, value: number): number => {
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw gave(call, 'a number of bytes', value);
  };
  return {
    name,
    read: async (file) => bytes('read()', await storage.read(file)),
    readRange: async (file, offset, count) =>
      bytes('readRange()', await storage.readRange(file, offset, count)),
    size: async (file) => length('size()', await storage.size(file)),
    async open(file) {
      const opened: StoredFile = await storage.open(file);
      if (!hasMethods(opened, 'read', 'close'))
        throw gave('open()', 'a file with size, read() and close()', opened);
      length("an opened file's size", opened.size);
      return {
        name: `${name}/${file}`,
        get size() {
          return opened.size;
        },
        get descriptor() {
          return opened.descriptor;
        },
        read: async (offset, count) =>
          bytes("an opened file's read()", await opened.read(offset, count)),
        close: async () => opened.close(),
      };
    },
    write: async (...of) => storage.write(...of),
    replace: async (...of) => storage.replace(...of),
    async list() {
      const names: unknown = await storage.list();
      if (Array.isArray(names) && names.every((one) => typeof one === 'string')) return names;
      throw gave('list()', 'an array of names', names);
    },
    delete: async (file) => storage.delete(file),
    sync: async () => storage.sync(),
    async lock(file) {
      const lock: StorageLock = await storage.lock(file);
      if (!hasMethods(lock, 'release')) throw gave('lock()', 'a lock with release()', lock);
      return lock;
    },
  };
}

function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  );
}
