import { abortable } from '../abortable.js';
import { resolveDevice } from '../device/default-device.js';
import type { SearchDevice } from '../device/device.js';
import type { Encoder } from '../encoder/encoder.js';
import { invalidArgument, isLemurError, LemurError } from '../errors.js';
import { checkOptions } from '../known-options.js';
import type { CutFunction } from '../passages/passage-rules.js';
import type { RunOptions } from '../run-options.js';
import type { ReadableStorage, StorageLock } from '../storage/storage.js';
import { storageToRead } from '../storage-of.js';
import { type Call, Calls } from './calls/calls.js';
import { type Watch, watchOf } from './calls/watch.js';
import { watchedEncoder } from './calls/watched-encoder.js';
import { withCommitted } from './calls/with-committed.js';
import { chooseEncoder, type EncoderChoice } from './choose-encoder.js';
import { readManifest } from './files/present-state.js';
import type { Snapshot } from './files/snapshot.js';
import { LOCK, openStore, type Store } from './files/store.js';
import type { Transaction } from './files/transaction.js';
import { type WatchedStorage, watchedStorage } from './files/watched-storage.js';
import { createModelKeeper, type ModelKeeper } from './learn/model-keeper.js';
import {
  checkCacheBytes,
  checkCut,
  checkEncoderChoice,
  checkFlag,
} from './options/check-options.js';
import { isModelName } from './options/model-name.js';
import { OPEN_OPTIONS, REFRESH_OPTIONS } from './options/option-names.js';
import type { OpenOptions } from './options/options.js';
import { RestoredEncoder } from './restored-encoder.js';
import { workOf } from './usual-work.js';

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
  /** That encoder; undefined where it is not to be had, for what can do without. */
  availableEncoder(): Promise<Encoder | undefined>;
  /** Cuts texts, where the collection leaves that to a function. */
  readonly cut: CutFunction | undefined;
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
  readonly #choice: EncoderChoice & { follow?: boolean | undefined };
  /** Restored ones that calls may still be using. */
  readonly #former: RestoredEncoder[] = [];
  /** A refresh that has not begun. */
  #following: Promise<boolean> | undefined;
  /** Cuts texts, where the collection leaves that to a function. */
  cut: CutFunction | undefined;
  readonly #writable: boolean;
  readonly #calls: Calls;

  constructor(
    device: SearchDevice,
    encoder: Encoder | undefined,
    choice: EncoderChoice & { follow?: boolean | undefined },
    writable: boolean,
    store: Store,
    calls: Calls,
  ) {
    this.device = device;
    this.store = store;
    this.models = createModelKeeper(device, store);
    this.encoder = encoder;
    this.#choice = choice;
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
    if (this.#choice.follow) await this.#follow(options.signal);
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
      const { device, models, cut } = this;
      const { onProgress } = options;
      const encoder = this.#watchedEncoder(call);
      try {
        const availableEncoder = async (): Promise<Encoder | undefined> =>
          !(this.encoder instanceof RestoredEncoder) || (await this.encoder.isAvailable())
            ? encoder
            : undefined;
        const changes = { transaction, encoder, models, cut, availableEncoder };
        return await use({ ...call, device, onProgress, ...changes });
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
    return this.#refresh(options.signal);
  }

  /** Calls that come at once wait for one refresh, which begins after them. */
  #follow(signal: AbortSignal | undefined): Promise<boolean> {
    if (!this.#following) {
      const begun = (): void => {
        if (this.#following === following) this.#following = undefined;
      };
      const following: Promise<boolean> = this.#refresh(undefined, begun);
      this.#following = following;
      following.then(begun, begun);
    }
    return abortable(this.#following, signal);
  }

  #refresh(signal: AbortSignal | undefined, begun: () => void = () => {}): Promise<boolean> {
    return this.#calls.write('refresh', signal, async (call) => {
      begun();
      const { encoder: before } = this.snapshot.manifest;
      let encoder: Encoder | undefined;
      const isNew = await this.store.refresh(call.signal, (manifest) => {
        encoder = chooseEncoder(this.#choice, manifest);
      });
      if (!isNew || this.snapshot.manifest.encoder?.id === before?.id) return isNew;
      // its vectors have become narrower
      if (this.encoder instanceof RestoredEncoder) this.#former.push(this.encoder);
      this.encoder = encoder;
      return isNew;
    });
  }

  /** Ends all calls and gives everything back. */
  close(): Promise<void> {
    return this.#calls.close(async () => {
      this.models.drop();
      await this.store.close();
      // one of the caller's stays open
      for (const encoder of [this.encoder, ...this.#former])
        if (encoder instanceof RestoredEncoder) await encoder.close();
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

/** Opens a collection, for reading unless `write` is set. */
export async function openCollection(
  at: string | URL | ReadableStorage,
  options: OpenOptions,
): Promise<OpenCollection> {
  checkOptions(options, OPEN_OPTIONS, 'Index.open');
  const calls = new Calls();
  const storage = watchedStorage(storageToRead(at), (foreign) => calls.waitFor(foreign));
  const { passages, ...others } = options;
  const folder = isModelName(at) ? storage.name : undefined;
  return unlessAborted(options.signal, async () => {
    const collection = await open({ ...others, storage, folder }, passages, calls);
    collection.cut = passages;
    return collection;
  });
}

async function open(
  {
    write = false,
    cacheBytes,
    ...choice
  }: OpenOptions & EncoderChoice & { storage: WatchedStorage },
  passages: CutFunction | undefined,
  calls: Calls,
): Promise<OpenCollection> {
  checkFlag(write, 'write');
  checkFlag(choice.follow, 'follow');
  checkCacheBytes(cacheBytes);
  if (write && choice.follow)
    throw invalidArgument('follow', 'true, and write too: a writer has its own commits at once');
  const { storage } = choice;
  checkEncoderChoice(choice.encoder);
  const device = await resolveDevice(choice, await workOf(storage, write, choice.device));
  let lock: StorageLock | null = null;
  try {
    if (write) {
      await readManifest(storage);
      lock = await storage.lock(LOCK);
    }
    const store = await openStore(storage, device, lock, cacheBytes);
    try {
      const encoder = chooseEncoder(choice, store.snapshot.manifest);
      checkCut(passages, store.snapshot.manifest);
      return new OpenCollection(device, encoder, choice, write, store, calls);
    } catch (error) {
      await store.close();
      throw error;
    }
  } catch (error) {
    await lock?.release().catch(() => undefined);
    throw error;
  }
}

/** A collection that is opened after the signal has aborted is closed again. */
export function unlessAborted(
  signal: AbortSignal | undefined,
  open: () => Promise<OpenCollection>,
): Promise<OpenCollection> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const opened = open();
  const close = (collection: OpenCollection): unknown => signal?.aborted && collection.close();
  opened.then(close).catch(() => undefined);
  return abortable(opened, signal);
}
