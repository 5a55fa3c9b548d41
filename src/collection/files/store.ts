import type { SearchDevice } from '../../device/device.js';
import { isLemurError, LemurError, storageFailed } from '../../errors.js';
import { guardedReplace, readIfThere, sameBytes } from '../../storage/guarded-replace.js';
import type { StorageLock } from '../../storage/storage.js';
import { storedSize } from '../../storage/stored-source.js';
import { type FileEntry, filesOf, type IndexManifest, MANIFEST } from './manifest.js';
import { encodeManifest } from './manifest-file.js';
import { OpenFiles } from './open-files.js';
import { openPresent, type PresentState } from './present-state.js';
import { CACHE_BYTES } from './row-cache.js';
import { openSnapshot, type Snapshot } from './snapshot.js';
import { sweepFiles } from './sweep-files.js';
import { type Committer, Transaction } from './transaction.js';
import type { WatchedStorage } from './watched-storage.js';

export const LOCK = 'writer.lock';

/** By a storage's name the first number that no file has which a closed store is still writing. */
const unfinished = new Map<string, number>();

/** A commit of which nobody knows whether it is in place. */
interface UnsureCommit {
  manifest: IndexManifest;
  bytes: Uint8Array;
  failure: unknown;
  written: FileEntry[];
}

/**
 * Opens the store; with a lock it may commit. At most `cacheBytes` of what searches have read from
 * files stay in memory. Rejects with 'not-found', 'bad-file' and
 * 'unsupported'.
 */
export async function openStore(
  storage: WatchedStorage,
  device: SearchDevice,
  lock: StorageLock | null,
  cacheBytes: number = CACHE_BYTES,
): Promise<Store> {
  const files = new OpenFiles(storage, device, cacheBytes);
  const open = (manifest: IndexManifest): Promise<Snapshot> =>
    openSnapshot(device, files, manifest);
  const store = new Store(storage, device, lock, open, await openPresent(storage, open));
  if (lock) await store.sweep().catch(() => undefined);
  return store;
}

/**
 * A collection's files and its present state. Data files never change; the manifest, replaced in
 * one step, says which of them count. A commit writes data files, makes sure that they are kept,
 * replaces the manifest, reads it back, and only then deletes what nothing refers to any more.
 */
export class Store implements Committer {
  readonly storage: WatchedStorage;
  readonly device: SearchDevice;
  readonly #lock: StorageLock | null;
  readonly #open: (manifest: IndexManifest) => Promise<Snapshot>;
  #present: PresentState;
  /** Number of the next data file. */
  #next: number;
  /** Why this store cannot commit any more. */
  #broken: unknown;
  #unsure: UnsureCommit | undefined;
  /** The last replacement of the manifest, with what belongs to it. */
  #replacing: Promise<unknown> = Promise.resolve();
  #retiring: Promise<void> | undefined;

  /** Use `openStore`. */
  constructor(
    storage: WatchedStorage,
    device: SearchDevice,
    lock: StorageLock | null,
    open: (manifest: IndexManifest) => Promise<Snapshot>,
    present: PresentState,
  ) {
    this.storage = storage;
    this.device = device;
    this.#lock = lock;
    this.#open = open;
    this.#present = present;
    this.#next = Math.max(present.snapshot.manifest.next, unfinished.get(storage.name) ?? 0);
  }

  /** The last committed state that was seen. */
  get snapshot(): Snapshot {
    return this.#present.snapshot;
  }

  /** Begins the changes of one call. */
  begin(signal: AbortSignal): Transaction {
    return new Transaction(this, signal);
  }

  /** For the name of a data file. */
  newNumber(): number {
    return this.#next++;
  }

  /** Rejects where the lock is not this store's any more. */
  async confirm(): Promise<void> {
    await this.#lock?.confirm?.();
  }

  /** Deletes files that no state refers to. */
  async discard(written: FileEntry[]): Promise<void> {
    // in place of this folder there may be another, with files of these names
    if (written.length === 0 || this.#broken || !(await succeeds(this.confirm()))) return;
    for (const { name } of written.splice(0))
      await this.storage.delete(name).catch(() => undefined);
  }

  /**
   * Makes a new state, which may refer to what was `written`; that list is empty afterwards.
   * Rejects as `Transaction.commit` does.
   */
  async commit(
    change: (manifest: IndexManifest) => IndexManifest,
    written: FileEntry[],
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#broken ?? this.#unsure) throw this.#broken ?? this.#unsure?.failure;
    await this.confirm();
    const before = this.#next;
    const { manifest: present } = this.snapshot;
    const changed = change(present);
    const manifest = { ...changed, generation: present.generation + 1, next: this.#next };
    const fresh = await this.#openWritten(manifest, written);
    // the last moment: by then another call may have begun, or the lock been given back
    if (signal.aborted) {
      await fresh.retire();
      throw signal.reason;
    }
    const replaced = this.#replace(fresh, encodeManifest(manifest), written);
    this.#replacing = replaced.catch(() => undefined);
    const failure = await replaced;
    written.splice(0);
    // it is in place, but perhaps not for good
    if (failure !== undefined) throw committed(this.storage, failure);
    const own = new Set(filesOf(present).map(({ name }) => name));
    await this.sweep(before, own).catch(() => undefined);
  }

  /**
   * Deletes what nothing refers to. `before`: a file of a later number is another call's. `own`:
   * names that are known to be a collection's.
   */
  async sweep(before: number = Infinity, own: ReadonlySet<string> = new Set()): Promise<void> {
    await this.confirm();
    await sweepFiles(this.storage, this.snapshot.manifest, before, own);
  }

  /**
   * Resolves when the manifest is not being replaced, which a call that was stopped may have left
   * behind, and when it is known what became of the last commit. Rejects as long as that cannot be
   * told, and where the files are not this writer's any more.
   */
  async ready(): Promise<void> {
    await this.#replacing;
    if (this.#broken) throw this.#broken;
    if (this.#unsure) await this.#settle(this.#unsure);
  }

  /**
   * Takes over what another process has committed, if `check` does not raise. Returns whether there
   * was something.
   */
  async refresh(signal: AbortSignal, check: (manifest: IndexManifest) => void): Promise<boolean> {
    if (this.#lock) return false;
    if (sameBytes(await this.storage.read(MANIFEST), this.#present.bytes)) return false;
    const fresh = await openPresent(this.storage, this.#open);
    try {
      signal.throwIfAborted();
      check(fresh.snapshot.manifest);
    } catch (error) {
      await fresh.snapshot.retire();
      throw error;
    }
    this.#swap(fresh);
    return true;
  }

  /**
   * Calls that were stopped can change nothing any more. Gives back the lock once nothing that they
   * began can. Calling it again tries again what failed.
   */
  async close(): Promise<void> {
    this.storage.seal();
    if (this.storage.writing > 0) unfinished.set(this.storage.name, this.#next);
    const release = async (): Promise<void> => {
      await this.storage.settled();
      await this.#lock?.release();
    };
    // a search that hangs does not keep the lock
    this.#retiring ??= this.snapshot.retire();
    await Promise.all([release(), this.#retiring]);
  }

  #swap(fresh: PresentState): void {
    const { snapshot: old } = this.#present;
    this.#present = fresh;
    // searches under way keep the old state; nobody waits for them
    void old.retire();
  }

  /** Opens a state to be, once what it refers to is kept. */
  async #openWritten(manifest: IndexManifest, written: readonly FileEntry[]): Promise<Snapshot> {
    try {
      await this.storage.sync();
      for (const { name, bytes } of written) {
        const size = await storedSize(this.storage, name);
        if (size === bytes) continue;
        const problem = `${name} has ${size} bytes after it was written, expected ${bytes}`;
        throw lost(this.storage, problem);
      }
      return await this.#open(manifest);
    } catch (error) {
      await this.confirm();
      throw isLemurError(error, 'not-found') ? lost(this.storage, error.message) : error;
    }
  }

  /**
   * Replaces the manifest, finds out whether it was, and takes over the new state. Returns what the
   * storage said, if it failed all the same.
   */
  async #replace(fresh: Snapshot, bytes: Uint8Array, written: FileEntry[]): Promise<unknown> {
    if (!this.#lock) throw new Error('a commit without a lock');
    const { bytes: present } = this.#present;
    const done = await guardedReplace(this.storage, this.#lock, MANIFEST, present, bytes);
    if (done.now === 'new') {
      this.#swap({ snapshot: fresh, bytes });
      return done.failure;
    }
    const { manifest } = fresh;
    const { failure } = done;
    if (done.now === 'other') this.#broken = failure;
    if (done.now === 'unknown')
      this.#unsure = { manifest, bytes, failure, written: written.splice(0) };
    // a loss of power may bring back the manifest that refers to them
    if (done.now === 'old' && done.unsettled) written.splice(0);
    await fresh.retire();
    throw failure;
  }

  /** Finds out what became of a commit that could not be read back. */
  async #settle({ manifest, bytes, failure, written }: UnsureCommit): Promise<void> {
    const now = await readIfThere(this.storage, MANIFEST);
    if (sameBytes(now, bytes)) this.#swap({ snapshot: await this.#open(manifest), bytes });
    else if (sameBytes(now, this.#present.bytes)) await this.discard(written);
    else {
      this.#broken = failure;
      throw failure;
    }
    this.#unsure = undefined;
  }
}

async function succeeds(promise: Promise<void>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

/** The error for a commit that the storage rejected, and that could not be taken back. */
function committed({ name }: WatchedStorage, cause: unknown): LemurError {
  const said = cause instanceof Error ? cause.message : String(cause);
  const problem = `the change is committed, but may not survive a loss of power: ${said}`;
  return storageFailed(name, problem, cause);
}

function lost({ name }: WatchedStorage, problem: string): LemurError {
  const message = `${name}: the storage did not keep what was written: ${problem}`;
  return new LemurError('storage-failed', message, { where: name });
}
