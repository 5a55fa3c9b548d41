import { LemurError } from '../../errors.js';
import type { Storage, StoredFile } from '../../storage/storage.js';

/**
 * A storage of a collection, whose calls are counted while they are under way, and which changes
 * nothing once it is sealed.
 */
export interface WatchedStorage extends Storage {
  /** Data files that are being written. */
  readonly writing: number;
  /** From now on what changes something rejects with 'closed'. */
  seal(): void;
  /**
   * Resolves when no file is being replaced or deleted: that must not come after another writer's
   * changes.
   */
  settled(): Promise<void>;
}

/** `waitFor` sees every call that is waited for. */
export function watchedStorage(
  storage: Storage,
  waitFor: <T>(call: Promise<T>) => Promise<T>,
): WatchedStorage {
  const { name, path } = storage;
  const late = new Set<Promise<unknown>>();
  let writing = 0;
  let sealed = false;

  const changing = async <T>(change: () => Promise<T>): Promise<T> => {
    if (sealed)
      throw new LemurError('closed', `${name}: this Index has been closed`, { where: name });
    return waitFor(change());
  };
  const tracked = <T>(change: Promise<T>): Promise<T> => {
    late.add(change);
    const done = (): void => void late.delete(change);
    change.then(done, done);
    return change;
  };
  return {
    name,
    path,
    get writing() {
      return writing;
    },
    seal() {
      sealed = true;
    },
    async settled() {
      while (late.size > 0) await Promise.allSettled(late);
    },
    read: (file) => waitFor(storage.read(file)),
    open: async (file) => watchedFile(await waitFor(storage.open(file)), waitFor),
    write: (...of) =>
      changing(async () => {
        writing++;
        try {
          await storage.write(...of);
        } finally {
          writing--;
        }
      }),
    replace: (...of) => changing(() => tracked(storage.replace(...of))),
    list: () => waitFor(storage.list()),
    delete: (...of) => changing(() => tracked(storage.delete(...of))),
    sync: () => changing(() => storage.sync()),
    lock: async (file) => {
      const lock = await waitFor(storage.lock(file));
      return {
        confirm: async () => lock.confirm && waitFor(lock.confirm()),
        release: () => lock.release(),
      };
    },
  };
}

function watchedFile(file: StoredFile, waitFor: <T>(call: Promise<T>) => Promise<T>): StoredFile {
  return {
    name: file.name,
    get size() {
      return file.size;
    },
    inMemory: file.inMemory,
    get descriptor() {
      return file.descriptor;
    },
    read: (offset, length) => waitFor(file.read(offset, length)),
    close: () => waitFor(file.close()),
  };
}
