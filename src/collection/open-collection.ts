import { abortable } from '../abortable.js';
import { resolveDevice } from '../device/default-device.js';
import type { SearchDevice } from '../device/device.js';
import type { Encoder } from '../encoder/encoder.js';
import { isLemurError, LemurError } from '../errors.js';
import { checkOptions } from '../known-options.js';
import type { RunOptions } from '../run-options.js';
import { guardedReplace, readIfThere, sameBytes } from '../storage/guarded-replace.js';
import type { ReadableStorage, Storage, StorageLock } from '../storage/storage.js';
import { storageOf, storageToRead } from '../storage-of.js';
import { type Call, Calls } from './calls/calls.js';
import { type Watch, watchOf } from './calls/watch.js';
import { watchedEncoder } from './calls/watched-encoder.js';
import { type IndexManifest, MANIFEST } from './files/manifest.js';
import { encodeManifest } from './files/manifest-file.js';
import { checkVacant } from './files/own-files.js';
import { readManifest } from './files/present-state.js';
import type { Snapshot } from './files/snapshot.js';
import { LOCK, openStore, type Store } from './files/store.js';
import type { Transaction } from './files/transaction.js';
import { type WatchedStorage, watchedStorage } from './files/watched-storage.js';
import { withCommitted } from './ingest/add-documents.js';
import { createModelKeeper, type ModelKeeper } from './learn/model-keeper.js';
import { newManifest } from './new-manifest.js';
import { checkEncoder, checkEncoderKind, checkFlag } from './options/check-options.js';
import { CREATE_OPTIONS, OPEN_OPTIONS, REFRESH_OPTIONS } from './options/option-names.js';
import type { CreateOptions, OpenOptions } from './options/options.js';

type Known = Readonly<Record<string, true>>;

/** A call that reads: the state it works on and the encoder it may ask. */
export interface ReadingCall {
  readonly device: SearchDevice;
  /** The state of now, which stays until the call is done. */
  readonly snapshot: Snapshot;
  readonly encoder: Encoder | undefined;
  /** Waits for what the caller gave. */
  readonly watch: Watch;
}

/** A call that changes the collection, with all that it may use. */
export interface WritingCall extends Call, RunOptions {
  readonly device: SearchDevice;
  readonly signal: AbortSignal;
  readonly transaction: Transaction;
  readonly encoder: Encoder | undefined;
  readonly models: ModelKeeper;
}

/**
 * An open collection: its files, encoder and model, and the calls under way. Every call goes
 * through `read` or `write`, which check its options, hold what it needs and give it back.
 */
export class OpenCollection {
  readonly device: SearchDevice;
  readonly store: Store;
  /** Gives documents that are added weights by the present model. */
  readonly models: ModelKeeper;
  /** Makes token vectors of texts; another one where these have become narrower. */
  encoder: Encoder | undefined;
  readonly #writable: boolean;
  readonly #calls: Calls;

  constructor(
    device: SearchDevice,
    encoder: Encoder | undefined,
    writable: boolean,
    store: Store,
    calls: Calls,
  ) {
    this.device = device;
    this.store = store;
    this.models = createModelKeeper(device, store);
    this.encoder = encoder;
    this.#writable = writable;
    this.#calls = calls;
  }

  get snapshot(): Snapshot {
    return this.store.snapshot;
  }

  /** Raises 'closed'. */
  checkOpen(): void {
    this.#calls.checkOpen();
  }

  /** Work on the state of now. Rejects with 'invalid-argument', 'closed' or the signal's reason. */
  async read<T>(
    where: string,
    options: RunOptions,
    known: Known,
    use: (call: ReadingCall) => Promise<T>,
  ): Promise<T> {
    checkOptions(options, known, where);
    return this.#calls.read(where, options.signal, async (call) => {
      const { snapshot } = this.store;
      const release = snapshot.use();
      try {
        const encoder = this.#watchedEncoder(call);
        const watch = watchOf(this.#calls, call);
        return await use({ device: this.device, snapshot, encoder, watch });
      } finally {
        release();
      }
    });
  }

  /**
   * A call that changes the collection; what it wrote and did not commit is deleted when it fails.
   * Rejects with 'read-only', 'deadlock' and 'storage-failed' besides.
   */
  async write<T>(
    where: string,
    options: RunOptions,
    known: Known,
    use: (call: WritingCall) => Promise<T>,
  ): Promise<T> {
    checkOptions(options, known, where);
    return this.#calls.write(where, options.signal, async (call) => {
      if (!this.#writable) throw readOnly(where);
      await this.store.ready();
      const transaction = this.store.begin(call.signal);
      const { device, models } = this;
      const { onProgress } = options;
      const encoder = this.#watchedEncoder(call);
      try {
        return await use({ ...call, device, onProgress, transaction, encoder, models });
      } catch (error) {
        await transaction.discard();
        throw await this.#lostPlace(error);
      }
    });
  }

  /** In place of a file that is missing: that the folder is not where it was, if so. */
  async #lostPlace(error: unknown): Promise<unknown> {
    if (!isLemurError(error, 'not-found')) return error;
    const { committed } = error;
    return this.store.confirm().then(
      () => error,
      (cause) => (committed === undefined ? cause : withCommitted(cause, committed, undefined)),
    );
  }

  /** Takes over what a writer has committed; whether there was something. */
  async refresh(options: Pick<RunOptions, 'signal'>): Promise<boolean> {
    checkOptions(options, REFRESH_OPTIONS, 'refresh');
    const { storage } = this.store;
    return this.#calls.write('refresh', options.signal, ({ signal }) =>
      this.store.refresh(signal, (manifest) => checkEncoder(storage, manifest, this.encoder)),
    );
  }

  /** Ends all calls and gives everything back. */
  close(): Promise<void> {
    return this.#calls.close(async () => {
      this.models.drop();
      await this.store.close();
    });
  }

  #watchedEncoder(call: Call): Encoder | undefined {
    return watchedEncoder(this.encoder, this.#calls, call);
  }
}

function readOnly(where: string): LemurError {
  const message = `${where}: the collection was opened for reading; open it with { write: true }`;
  return new LemurError('read-only', message, { where });
}

/** Makes an empty collection and opens it for writing. */
export async function createCollection(
  at: string | URL | Storage,
  options: CreateOptions,
): Promise<OpenCollection> {
  checkOptions(options, CREATE_OPTIONS, 'Index.create');
  const manifest = newManifest(options);
  const calls = new Calls();
  const storage = watchedStorage(storageOf(at), (foreign) => calls.waitFor(foreign));
  return unlessAborted(options.signal, () => create(storage, manifest, options, calls));
}

/** Opens a collection, for reading unless `write` is set. */
export async function openCollection(
  at: string | URL | ReadableStorage,
  options: OpenOptions,
): Promise<OpenCollection> {
  checkOptions(options, OPEN_OPTIONS, 'Index.open');
  const calls = new Calls();
  const storage = watchedStorage(storageToRead(at), (foreign) => calls.waitFor(foreign));
  return unlessAborted(options.signal, () => open(storage, options, calls));
}

async function create(
  storage: WatchedStorage,
  manifest: IndexManifest,
  options: CreateOptions,
  calls: Calls,
): Promise<OpenCollection> {
  const device = await resolveDevice(options);
  await checkVacant(storage);
  const lock = await storage.lock(LOCK);
  try {
    await checkVacant(storage);
    options.signal?.throwIfAborted();
    const store = await createStore(storage, device, lock, manifest);
    return new OpenCollection(device, options.encoder ?? undefined, true, store, calls);
  } catch (error) {
    await lock.release().catch(() => undefined);
    throw error;
  }
}

/** Writes the manifest and opens the store; what cannot be opened is not made. */
async function createStore(
  storage: WatchedStorage,
  device: SearchDevice,
  lock: StorageLock,
  manifest: IndexManifest,
): Promise<Store> {
  const bytes = encodeManifest(manifest);
  const made = await guardedReplace(storage, lock, MANIFEST, null, bytes);
  if (made.now !== 'new' || made.failure !== undefined) throw made.failure;
  try {
    return await openStore(storage, device, lock);
  } catch (error) {
    const alreadyExists = await readIfThere(storage, MANIFEST).catch(() => null);
    if (sameBytes(alreadyExists, bytes)) await storage.delete(MANIFEST).catch(() => undefined);
    throw error;
  }
}

async function open(
  storage: WatchedStorage,
  { encoder, write = false, ...options }: OpenOptions,
  calls: Calls,
): Promise<OpenCollection> {
  checkFlag(write, 'write');
  if (encoder) checkEncoderKind(encoder);
  const device = await resolveDevice(options);
  let lock: StorageLock | null = null;
  try {
    if (write) {
      await readManifest(storage);
      lock = await storage.lock(LOCK);
    }
    const store = await openStore(storage, device, lock);
    try {
      checkEncoder(storage, store.snapshot.manifest, encoder);
    } catch (error) {
      await store.close();
      throw error;
    }
    return new OpenCollection(device, encoder ?? undefined, write, store, calls);
  } catch (error) {
    await lock?.release().catch(() => undefined);
    throw error;
  }
}

/** A collection that is opened after the signal has aborted is closed again. */
function unlessAborted(
  signal: AbortSignal | undefined,
  open: () => Promise<OpenCollection>,
): Promise<OpenCollection> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const opened = open();
  const close = (collection: OpenCollection): unknown => signal?.aborted && collection.close();
  opened.then(close).catch(() => undefined);
  return abortable(opened, signal);
}
