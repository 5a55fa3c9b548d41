import type { SearchDevice } from '../../device/device.js';
import { isLemurError } from '../../errors.js';
import type { EncodedFile } from './checked-file.js';
import type { FileEntry, IndexManifest } from './manifest.js';
import type { Snapshot } from './snapshot.js';
import type { WatchedStorage } from './watched-storage.js';

/** Kinds of data files. */
export type FileKind = 'segment' | 'codes' | 'deleted' | 'keywords' | 'model' | 'projection';

/** The store that transactions change. */
export interface Committer {
  readonly storage: WatchedStorage;
  readonly device: SearchDevice;
  readonly snapshot: Snapshot;
  newNumber(): number;
  confirm(): Promise<void>;
  commit(
    change: (manifest: IndexManifest) => IndexManifest,
    written: FileEntry[],
    signal: AbortSignal,
  ): Promise<void>;
  discard(written: FileEntry[]): Promise<void>;
}

/**
 * The changes of one call to a collection: it writes data files, and commits states that refer to
 * them. Once its signal has aborted it changes nothing any more.
 */
export class Transaction {
  readonly #store: Committer;
  readonly #signal: AbortSignal;
  /** Data files since the last commit. */
  readonly #written: FileEntry[] = [];

  /** Use `Store.begin`. */
  constructor(store: Committer, signal: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
  }

  get storage(): WatchedStorage {
    return this.#store.storage;
  }

  get device(): SearchDevice {
    return this.#store.device;
  }

  /** The last committed state that was seen. */
  get snapshot(): Snapshot {
    return this.#store.snapshot;
  }

  /** A name for a new data file. */
  newName(kind: FileKind): string {
    return `${kind}.${this.#store.newNumber()}.safetensors`;
  }

  /**
   * Writes a data file that the next commit refers to; under another number where its name is
   * taken. Rejects with 'locked' and 'storage-failed'.
   */
  async write({ entry, bytes }: EncodedFile): Promise<FileEntry> {
    await this.#store.confirm();
    for (let { name } = entry; ; name = name.replace(/\d+/, String(this.#store.newNumber()))) {
      this.#signal.throwIfAborted();
      const file = { ...entry, name };
      try {
        // it may be there by halves
        this.#written.push(file);
        await this.storage.write(name, bytes, { create: true });
        return file;
      } catch (error) {
        if (!isLemurError(error, 'already-exists')) throw error;
        // somebody else's, which stays
        this.#written.pop();
      }
    }
  }

  /**
   * Makes a new state out of the present one, and resolves when it is safe. Rejects with
   * 'storage-failed', and with 'locked' where another writes by now; the present state then stays,
   * unless the message says otherwise.
   */
  commit(change: (manifest: IndexManifest) => IndexManifest): Promise<void> {
    return this.#store.commit(change, this.#written, this.#signal);
  }

  /** Deletes what was written since the last commit. */
  discard(): Promise<void> {
    return this.#store.discard(this.#written);
  }
}
