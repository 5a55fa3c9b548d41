import type { Device } from '../device/device.js';
import { LemurError } from '../errors.js';
import type { Storage, StorageLock } from '../storage/storage.js';
import type { EncodedFile } from './checked-file.js';
import { decodeManifest, encodeManifest, type FileEntry, filesOf, type IndexManifest, isIndexFile, MANIFEST } from './manifest.js';
import { createOpenFiles } from './open-files.js';
import { openSnapshot, type Snapshot } from './snapshot.js';

export const LOCK = 'writer.lock';

/**
 * A collection's files and its present state. Data files never change; the manifest, replaced in one step, says which of them count. A commit
 * writes data files, makes sure that they are kept, replaces the manifest, reads it back, and only then deletes what nothing refers to any more.
 */
export interface Store {
  readonly storage: Storage;
  readonly device: Device;
  /** The last committed state that was seen. */
  readonly snapshot: Snapshot;
  /** A name for a new data file. */
  newName(kind: 'segment' | 'codes' | 'deleted' | 'model'): string;
  /** Writes a data file that the next commit refers to. */
  write(file: EncodedFile): Promise<FileEntry>;
  /** Makes a new state out of the present one, and resolves when it is safe. Rejects with 'storage-failed'; the present state then stays. */
  commit(change: (manifest: IndexManifest) => IndexManifest): Promise<void>;
  /** Deletes what was written since the last commit. */
  discard(): Promise<void>;
  /** Takes over what another process has committed. Returns whether there was something. */
  refresh(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the store; with a lock it may commit. Rejects with 'not-found', 'bad-file' and 'unsupported'. */
export async function openStore(storage: Storage, device: Device, lock: StorageLock | null): Promise<Store> {
  const files = createOpenFiles(storage, device);
  const open = (manifest: IndexManifest): Promise<Snapshot> =>
    openSnapshot(device, files, manifest, manifest.tokenMean && Float32Array.from(manifest.tokenMean));
  let snapshot = await openPresent(storage, open);
  let next = snapshot.manifest.next;
  /** Data files since the last commit. */
  let written: FileEntry[] = [];
  /** Why this store cannot commit any more. */
  let broken: unknown;

  const swap = async (fresh: Snapshot): Promise<void> => {
    const old = snapshot;
    snapshot = fresh;
    // searches under way keep the old state; nobody waits for them
    void old.retire();
  };
  const discard = async (): Promise<void> => {
    for (const { name } of written.splice(0)) await storage.delete(name).catch(() => undefined);
  };
  const sweep = async (): Promise<void> => {
    const current = new Set([MANIFEST, ...filesOf(snapshot.manifest).map(({ name }) => name)]);
    for (const name of await storage.list()) if (isIndexFile(name) && !current.has(name)) await storage.delete(name);
  };
  if (lock) await sweep().catch(() => undefined);

  return {
    storage,
    device,
    get snapshot() {
      return snapshot;
    },
    newName: (kind) => `${kind}.${next++}.safetensors`,
    async write({ entry, bytes }) {
      written.push(entry);
      await storage.write(entry.name, bytes);
      return entry;
    },
    async commit(change) {
      if (broken) throw broken;
      const manifest = { ...change(snapshot.manifest), generation: snapshot.manifest.generation + 1, next };
      const bytes = encodeManifest(manifest);
      await storage.sync();
      for (const { name, bytes: expected } of written) {
        const size = await storage.size(name);
        if (size !== expected) throw lost(storage, `${name} has ${size} bytes after it was written, expected ${expected}`);
      }
      const fresh = await open(manifest);
      let failure: unknown;
      await storage.replace(MANIFEST, bytes).catch((error: unknown) => {
        failure = error;
      });
      const kept = await storage.read(MANIFEST).catch(() => undefined);
      if (!kept || !sameBytes(kept, bytes)) {
        await fresh.retire();
        const old = kept && sameBytes(kept, encodeManifest(snapshot.manifest));
        // neither the old state nor the new one is there: nothing may be written on top of that
        if (!old) broken = failure ?? lost(storage, `${MANIFEST} is not what was written`);
        throw failure ?? lost(storage, `${MANIFEST} is not what was written`);
      }
      written = [];
      await swap(fresh);
      await sweep().catch(() => undefined);
      // it is in place, but perhaps not for good
      if (failure) throw failure;
    },
    discard,
    async refresh() {
      if (lock) return false;
      const { generation } = decodeManifest(await storage.read(MANIFEST), `${storage.name}/${MANIFEST}`);
      if (generation === snapshot.manifest.generation) return false;
      await swap(await openPresent(storage, open));
      return true;
    },
    async close() {
      if (lock) await discard();
      await snapshot.retire();
      await lock?.release();
    },
  };
}

/** Times that a writer may replace the state while it is being opened. */
const ATTEMPTS = 20;

/** The state that the manifest gives. A writer may delete files between the reading of the manifest and the opening of what it names. */
async function openPresent(storage: Storage, open: (manifest: IndexManifest) => Promise<Snapshot>): Promise<Snapshot> {
  const where = `${storage.name}/${MANIFEST}`;
  let bytes = await storage.read(MANIFEST);
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(decodeManifest(bytes, where));
    } catch (error) {
      const now = await storage.read(MANIFEST);
      if (sameBytes(now, bytes) || attempt === ATTEMPTS) throw missingAsDamage(error, storage);
      bytes = now;
    }
  }
}

/** A data file that is not there is damage of the collection. */
function missingAsDamage(error: unknown, storage: Storage): unknown {
  if (!(error instanceof LemurError) || error.code !== 'not-found') return error;
  return new LemurError(
    'bad-file',
    `${storage.name}: the collection is damaged: ${error.message}`,
    { where: storage.name },
    { cause: error },
  );
}

function lost(storage: Storage, problem: string): LemurError {
  return new LemurError('storage-failed', `${storage.name}: the storage did not keep what was written: ${problem}`, {
    where: storage.name,
  });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
