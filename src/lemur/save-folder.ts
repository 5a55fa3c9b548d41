import type { Device } from '../device/device.js';
import { isLemurError, LemurError } from '../errors.js';
import { describeFeatureMap } from '../learn/feature-map-description.js';
import type { ResolvedLearnOptions } from '../learn/learn-options.js';
import type { PrefixMap } from '../search/prefix/prefix-map.js';
import { guardedReplace, readIfThere } from '../storage/guarded-replace.js';
import { beginsAs, isOfFormat, isTemporaryOf } from '../storage/own-files.js';
import type { Storage, StorageLock } from '../storage/storage.js';
import { storedSize } from '../storage/stored-source.js';
import type { SolvedCorpus } from './fitted-corpus.js';
import { formatOf, SavedFiles } from './saved-files.js';
import {
  decodeManifest,
  encodeManifest,
  LOCK,
  MANIFEST,
  type Manifest,
  newManifest,
} from './saved-manifest.js';

/**
 * Data files first, the manifest last and in one step, then the files of the save before are
 * deleted. One save at a time: rejects with 'locked', and with 'already-exists' where `lemur.json`
 * is something else's.
 */
export async function saveFolder(
  device: Device,
  storage: Storage,
  fitted: SolvedCorpus,
  prefixMap: PrefixMap | undefined,
  options: ResolvedLearnOptions,
): Promise<void> {
  const lock = await storage.lock(LOCK);
  const files = new SavedFiles(storage, lock);
  try {
    await saveLocked(device, storage, lock, files, fitted, prefixMap, options);
  } catch (error) {
    // in place of this folder there may be another, with files of these names
    const ours = await Promise.resolve(lock.confirm?.()).then(
      () => true,
      () => false,
    );
    if (ours) await files.delete();
    throw error;
  } finally {
    // a lock that cannot be deleted now is known as given back
    await lock.release().catch(() => undefined);
  }
}

async function saveLocked(
  device: Device,
  storage: Storage,
  lock: StorageLock,
  saved: SavedFiles,
  fitted: SolvedCorpus,
  prefixMap: PrefixMap | undefined,
  options: ResolvedLearnOptions,
): Promise<void> {
  const before = await readIfThere(storage, MANIFEST);
  const previous = before && (await previousSave(storage, before));
  const save = (previous?.save ?? 0) + 1;
  const files = await saved.writeAll(save, device, fitted, prefixMap);
  const { featureMap, w, mean, std } = fitted;
  const manifest = newManifest({
    save,
    documents: w.length / featureMap.layout.latentDim,
    mean,
    std,
    featureMap: describeFeatureMap(featureMap.layout),
    options,
    prefix: prefixMap && { dim: prefixMap.dim, step: prefixMap.step },
    unit: featureMap.unit,
    files,
  });
  // the manifest must not outlive what it names
  await storage.sync();
  const done = await guardedReplace(storage, lock, MANIFEST, before, encodeManifest(manifest));
  // it may be in place after all
  if (done.now !== 'old' || done.unsettled) saved.keep();
  if (done.failure !== undefined) throw done.failure;
  await sweep(storage, manifest, previous).catch(() => undefined);
}

/**
 * The save that a manifest is of; undefined where it is damaged. Raises 'unsupported' for that of a
 * newer version, which is left alone.
 */
async function previousSave(storage: Storage, bytes: Uint8Array): Promise<Manifest | undefined> {
  const where = `${storage.name}/${MANIFEST}`;
  try {
    return decodeManifest(bytes, where);
  } catch (error) {
    if (!isLemurError(error, 'bad-file')) throw error;
    const begins = await Promise.all(
      ['{"format":"lemur"', '{\n  "format": "lemur"'].map((text) =>
        beginsAs(storage, MANIFEST, 0, text),
      ),
    );
    if (begins.includes(true)) return undefined;
    throw new LemurError(
      'already-exists',
      `${where}: not the manifest of a saved Lemur: it stays; save to another folder`,
      { where },
    );
  }
}

/**
 * Deletes what saves have left here, and nothing else: the files of the one before, and what begins
 * as theirs do.
 */
async function sweep(
  storage: Storage,
  { files }: Manifest,
  previous: Manifest | null | undefined,
): Promise<void> {
  const current = new Set(Object.values(files).map((file) => file?.name));
  const before = new Map(
    Object.values(previous?.files ?? {}).map((file) => [file?.name, file?.bytes]),
  );
  for (const name of await storage.list()) {
    if (current.has(name)) continue;
    const kind = /^lemur-(model|weights|solver|prefix)\.\d+\.safetensors$/.exec(name)?.[1];
    const own = kind
      ? await isOfFormat(storage, name, formatOf(kind))
      : before.has(name)
        ? // a collection's model may have taken that name
          (await storedSize(storage, name)) === before.get(name) &&
          !(await isOfFormat(storage, name, 'lemur-model'))
        : isTemporaryOf(name, MANIFEST);
    if (own) await storage.delete(name);
  }
}
