import type { Device } from '../device/device.js';
import { LemurError } from '../errors.js';
import type { StorageLock } from '../storage/storage.js';
import type { EncodedFile } from './checked-file.js';
import { decodeManifest, encodeManifest, type FileEntry, filesOf, type IndexManifest, isIndexFile, MANIFEST } from './manifest.js';
import { createOpenFiles } from './open-files.js';
import { openSnapshot, type Snapshot } from './snapshot.js';
import type { WatchedStorage } from './watched-storage.js';

export const LOCK = 'writer.lock';

/**
 * A collection's files and its present state. Data files never change; the manifest, replaced in one step, says which of them count. A commit
 * writes data files, makes sure that they are kept, replaces the manifest, reads it back, and only then deletes what nothing refers to any more.
 */
export interface Store {
  readonly storage: WatchedStorage;
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
  /** The same for one call, which alone discards what it has written, and changes nothing any more once its signal has aborted. */
  writing(signal: AbortSignal): Store;
  /** Resolves when the manifest is not being replaced: a call that was stopped may have left that behind. */
  ready(): Promise<void>;
  /** Takes over what another process has committed. Returns whether there was something. */
  refresh(signal: AbortSignal): Promise<boolean>;
  /** Calls that were stopped can change nothing any more. Gives back the lock once nothing that they began can. */
  close(): Promise<void>;
}

/** By a storage's name the first number that no file has which a closed store is still writing. */
const unfinished = new Map<string, number>();

/** Opens the store; with a lock it may commit. Rejects with 'not-found', 'bad-file' and 'unsupported'. */
export async function openStore(storage: WatchedStorage, device: Device, lock: StorageLock | null): Promise<Store> {
  const files = createOpenFiles(storage, device);
  const open = (manifest: IndexManifest): Promise<Snapshot> =>
    openSnapshot(device, files, manifest, manifest.tokenMean && Float32Array.from(manifest.tokenMean));
  let snapshot = await openPresent(storage, open);
  let next = Math.max(snapshot.manifest.next, unfinished.get(storage.name) ?? 0);
  /** Why this store cannot commit any more. */
  let broken: unknown;
  /** The last replacement of the manifest, with what belongs to it. */
  let replacing: Promise<unknown> = Promise.resolve();

  const swap = async (fresh: Snapshot): Promise<void> => {
    const old = snapshot;
    snapshot = fresh;
    // searches under way keep the old state; nobody waits for them
    void old.retire();
  };
  /** Deletes what nothing refers to. `before`: a file of a later number is another call's. */
  const sweep = async (before = Infinity): Promise<void> => {
    const current = new Set([MANIFEST, ...filesOf(snapshot.manifest).map(({ name }) => name)]);
    for (const name of await storage.list())
      if (isIndexFile(name) && !current.has(name) && numberOf(name) < before) await storage.delete(name);
  };
  /** Replaces the manifest, finds out whether it was, and takes over the new state. Returns what the storage said, if it failed all the same. */
  const replace = async (fresh: Snapshot, bytes: Uint8Array): Promise<unknown> => {
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
    await swap(fresh);
    return failure;
  };
  if (lock) await sweep().catch(() => undefined);

  const writing = (signal: AbortSignal | undefined): Store => {
    /** Data files since the last commit. */
    let written: FileEntry[] = [];
    return {
      storage,
      device,
      get snapshot() {
        return snapshot;
      },
      newName: (kind) => `${kind}.${next++}.safetensors`,
      async write({ entry, bytes }) {
        signal?.throwIfAborted();
        written.push(entry);
        await storage.write(entry.name, bytes);
        return entry;
      },
      async commit(change) {
        if (broken) throw broken;
        const before = next;
        const manifest = { ...change(snapshot.manifest), generation: snapshot.manifest.generation + 1, next };
        const bytes = encodeManifest(manifest);
        await storage.sync();
        for (const { name, bytes: expected } of written) {
          const size = await storage.size(name);
          if (size !== expected) throw lost(storage, `${name} has ${size} bytes after it was written, expected ${expected}`);
        }
        const fresh = await open(manifest);
        // the last moment: by then another call may have begun, or the lock been given back
        if (signal?.aborted) {
          await fresh.retire();
          throw signal.reason;
        }
        const replaced = replace(fresh, bytes);
        replacing = replaced.catch(() => undefined);
        const failure = await replaced;
        written = [];
        await sweep(before).catch(() => undefined);
        // it is in place, but perhaps not for good
        if (failure) throw failure;
      },
      async discard() {
        for (const { name } of written.splice(0)) await storage.delete(name).catch(() => undefined);
      },
      writing,
      async ready() {
        await replacing;
      },
      async refresh(stop) {
        if (lock) return false;
        const { generation } = decodeManifest(await storage.read(MANIFEST), `${storage.name}/${MANIFEST}`);
        if (generation === snapshot.manifest.generation) return false;
        const fresh = await openPresent(storage, open);
        if (stop.aborted) {
          await fresh.retire();
          throw stop.reason;
        }
        await swap(fresh);
        return true;
      },
      async close() {
        storage.seal();
        if (storage.writing > 0) unfinished.set(storage.name, next);
        const release = async (): Promise<void> => {
          await storage.settled();
          await lock?.release();
        };
        // a search that hangs does not keep the lock
        await Promise.all([release(), snapshot.retire()]);
      },
    };
  };
  return writing(undefined);
}

/** Times that a writer may replace the state while it is being opened. */
const ATTEMPTS = 20;

/** The state that the manifest gives. A writer may delete files between the reading of the manifest and the opening of what it names. */
async function openPresent(storage: WatchedStorage, open: (manifest: IndexManifest) => Promise<Snapshot>): Promise<Snapshot> {
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
function missingAsDamage(error: unknown, { name }: WatchedStorage): unknown {
  if (!(error instanceof LemurError) || error.code !== 'not-found') return error;
  return new LemurError('bad-file', `${name}: the collection is damaged: ${error.message}`, { where: name }, { cause: error });
}

function lost(storage: WatchedStorage, problem: string): LemurError {
  return new LemurError('storage-failed', `${storage.name}: the storage did not keep what was written: ${problem}`, {
    where: storage.name,
  });
}

/** Of a data file. */
function numberOf(name: string): number {
  return Number(name.split('.')[1]) || 0;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
