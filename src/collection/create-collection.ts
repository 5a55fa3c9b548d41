import { resolveDevice } from '../device/default-device.js';
import type { SearchDevice } from '../device/device.js';
import type { Encoder } from '../encoder/encoder.js';
import { providedEncoders } from '../encoder/provided-encoders.js';
import { invalidArgument } from '../errors.js';
import { checkOptions } from '../known-options.js';
import { guardedReplace, readIfThere, sameBytes } from '../storage/guarded-replace.js';
import type { Storage, StorageLock } from '../storage/storage.js';
import { storageOf } from '../storage-of.js';
import { Calls } from './calls/calls.js';
import { type IndexManifest, MANIFEST } from './files/manifest.js';
import { encodeManifest } from './files/manifest-file.js';
import { checkVacant } from './files/own-files.js';
import { writeFirstProjection } from './files/projection-file.js';
import { LOCK, openStore, type Store } from './files/store.js';
import { type WatchedStorage, watchedStorage } from './files/watched-storage.js';
import { encoderEntry, newManifest } from './new-manifest.js';
import { OpenCollection, unlessAborted } from './open-collection.js';
import { checkCacheBytes, checkEncoderChoice } from './options/check-options.js';
import { isModelName } from './options/model-name.js';
import { CREATE_OPTIONS } from './options/option-names.js';
import type { CreateOptions } from './options/options.js';
import { RestoredEncoder } from './restored-encoder.js';

/** A new collection's place, encoder and the options that are left. */
interface Creation extends Omit<CreateOptions, 'encoder'> {
  storage: WatchedStorage;
  folder: string | undefined;
  /** As it was made. */
  encoder: Encoder | undefined;
}

/**
 * Makes an empty collection and opens it for writing; with the default encoder where `byDefault`
 * and nothing else says what its token vectors are.
 */
export async function createCollection(
  at: string | URL | Storage,
  options: CreateOptions,
  byDefault = false,
): Promise<OpenCollection> {
  checkOptions(options, CREATE_OPTIONS, 'Index.create');
  const { encoder: given, ...others } = options;
  checkEncoderChoice(given);
  checkCacheBytes(options.cacheBytes);
  const isDefault = byDefault && given !== false && !given && options.dim === undefined;
  const loads = isDefault || isModelName(given);
  const encoder = loads || !given ? undefined : (given as Encoder);
  // what is wrong is told before anything is looked for
  if (!loads) newManifest({ ...others, encoder });
  const calls = new Calls();
  const storage = watchedStorage(storageOf(at), (foreign) => calls.waitFor(foreign));
  const folder = isModelName(at) ? storage.name : undefined;
  const creation = { ...others, storage, folder, encoder };
  return unlessAborted(options.signal, async () => {
    if (!loads) return create(creation, encoder, calls);
    await checkVacant(storage);
    const loaded = await loadModel(isModelName(given) ? given : undefined, others);
    const own = new RestoredEncoder(loaded, async () => loaded);
    try {
      await own.loaded();
      return await create({ ...creation, encoder: loaded }, own, calls);
    } catch (error) {
      await own.close();
      throw error;
    }
  });
}

function loadModel(
  model: string | URL | undefined,
  { threads, signal }: Pick<CreateOptions, 'threads' | 'signal'>,
): Promise<Encoder> {
  const encoders = providedEncoders();
  if (encoders) return encoders.load(model, { threads, signal });
  const got = model === undefined ? 'none' : String(model);
  throw invalidArgument('encoder', `${got}, expected an encoder: none is loaded by name here`);
}

async function create(
  { storage, folder, encoder, signal, ...options }: Creation,
  uses: Encoder | undefined,
  calls: Calls,
): Promise<OpenCollection> {
  const empty = newManifest({ ...options, encoder });
  const device = await resolveDevice(options);
  await checkVacant(storage);
  const lock = await storage.lock(LOCK);
  try {
    await checkVacant(storage);
    signal?.throwIfAborted();
    const manifest = await withProjection(storage, empty, encoder);
    const store = await createStore(storage, device, lock, manifest, options);
    if (encoder?.origin) await providedEncoders()?.remember(encoder.origin);
    const choice = {
      storage,
      folder,
      encoder: encoder ?? false,
      threads: options.threads,
    } as const;
    const collection = new OpenCollection(device, uses, choice, true, store, calls);
    if (typeof options.passages === 'function') collection.cut = options.passages;
    return collection;
  } catch (error) {
    await lock.release().catch(() => undefined);
    throw error;
  }
}

/** Keeps the projection of an encoder that can be made again. */
async function withProjection(
  storage: Storage,
  manifest: IndexManifest,
  encoder: Encoder | undefined,
): Promise<IndexManifest> {
  if (!encoder?.origin || !encoder.projection) return manifest;
  const file = await writeFirstProjection(storage, encoder.projection);
  return { ...manifest, encoder: encoderEntry(encoder, file) };
}

/** Writes the manifest and opens the store; what cannot be opened is not made. */
async function createStore(
  storage: WatchedStorage,
  device: SearchDevice,
  lock: StorageLock,
  manifest: IndexManifest,
  { cacheBytes }: Pick<CreateOptions, 'cacheBytes'>,
): Promise<Store> {
  const bytes = encodeManifest(manifest);
  const made = await guardedReplace(storage, lock, MANIFEST, null, bytes);
  if (made.now !== 'new' || made.failure !== undefined) throw made.failure;
  try {
    return await openStore(storage, device, lock, cacheBytes);
  } catch (error) {
    const alreadyExists = await readIfThere(storage, MANIFEST).catch(() => null);
    if (sameBytes(alreadyExists, bytes)) await storage.delete(MANIFEST).catch(() => undefined);
    throw error;
  }
}
