import { badFile, isLemurError } from '../../errors.js';
import { sameBytes } from '../../storage/guarded-replace.js';
import type { Storage } from '../../storage/storage.js';
import { type IndexManifest, MANIFEST } from './manifest.js';
import { decodeManifest } from './manifest-file.js';
import { noCollection } from './own-files.js';
import type { Snapshot } from './snapshot.js';

/** Times that a writer may replace the state while it is being opened. */
const ATTEMPTS = 20;

/** The state that a manifest gives, and the manifest's bytes. */
export interface PresentState {
  snapshot: Snapshot;
  bytes: Uint8Array;
}

/** The manifest's bytes. Rejects with 'not-found', saying what is there instead. */
export async function readManifest(storage: Storage): Promise<Uint8Array> {
  try {
    return await storage.read(MANIFEST);
  } catch (error) {
    throw isLemurError(error, 'not-found') ? await noCollection(storage, error) : error;
  }
}

/**
 * Opens the state that the manifest gives. A writer may delete files between the reading of the
 * manifest and the opening of what it names. Rejects with 'not-found', 'bad-file' and
 * 'unsupported'.
 */
export async function openPresent(
  storage: Storage,
  open: (manifest: IndexManifest) => Promise<Snapshot>,
): Promise<PresentState> {
  const where = `${storage.name}/${MANIFEST}`;
  let bytes = await readManifest(storage);
  for (let attempt = 1; ; attempt++) {
    try {
      return { snapshot: await open(decodeManifest(bytes, where)), bytes };
    } catch (error) {
      const now = await storage.read(MANIFEST);
      if (sameBytes(now, bytes) || attempt === ATTEMPTS) throw missingAsDamage(error, storage);
      bytes = now;
    }
  }
}

/** A data file that is not there is damage of the collection. */
function missingAsDamage(error: unknown, { name }: Storage): unknown {
  if (!isLemurError(error, 'not-found')) return error;
  return badFile(name, `the collection is damaged: ${error.message}`, error);
}
