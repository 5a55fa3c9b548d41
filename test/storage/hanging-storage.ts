import { memoryStorage, type Storage } from '../../dist/entry/node.js';

export type StorageCall =
  | 'read'
  | 'open'
  | 'file'
  | 'close'
  | 'write'
  | 'replace'
  | 'list'
  | 'delete'
  | 'sync'
  | 'lock';

/** A storage in memory whose calls may hang. */
export interface HangingStorage extends Storage {
  /**
   * From now on calls of this kind do not settle; `file` is a read of a file that was opened,
   * `close` its closing.
   */
  hang(call: StorageCall): void;
  /** Resolves when a call hangs. */
  hangs(): Promise<void>;
  /** Calls hang no more, but those that do. */
  letGo(): void;
  /** Calls hang no more, and those that did are done now. */
  release(): Promise<void>;
}

export function hangingStorage(): HangingStorage {
  const memory = memoryStorage();
  const hung = new Set<StorageCall>();
  const waiting: (() => Promise<void>)[] = [];
  let tell = (): void => {};
  const hanging = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const may = <T>(call: StorageCall, work: () => Promise<T>): Promise<T> =>
    hung.has(call)
      ? new Promise((resolve, reject) => {
          tell();
          waiting.push(async () => {
            await work().then(resolve, reject);
          });
        })
      : work();
  return {
    name: memory.name,
    hang: (call) => void hung.add(call),
    hangs: () => hanging,
    letGo: () => hung.clear(),
    async release() {
      hung.clear();
      for (const go of waiting.splice(0)) await go();
    },
    read: (file) => may('read', () => memory.read(file)),
    open: (file) =>
      may('open', async () => {
        const opened = await memory.open(file);
        return {
          name: opened.name,
          size: opened.size,
          descriptor: opened.descriptor,
          read: (offset, length) => may('file', () => opened.read(offset, length)),
          close: () => may('close', () => opened.close()),
        };
      }),
    write: (...of) => may('write', () => memory.write(...of)),
    replace: (...of) => may('replace', () => memory.replace(...of)),
    list: () => may('list', () => memory.list()),
    delete: (...of) => may('delete', () => memory.delete(...of)),
    sync: () => may('sync', () => memory.sync()),
    lock: (file) => may('lock', () => memory.lock(file)),
  };
}
