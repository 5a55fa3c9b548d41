import type { SearchDevice } from '../../device/device.js';
import { isLemurError, LemurError } from '../../errors.js';
import { guardedReplace, readIfThere, sameBytes } from '../../storage/guarded-replace.js';
import type { StorageLock } from '../../storage/storage.js';
import { storedSize } from '../../storage/stored-source.js';
import type { EncodedFile } from './checked-file.js';
import { type FileEntry, filesOf, type IndexManifest, MANIFEST } from './manifest.js';
import { decodeManifest, encodeManifest } from './manifest-file.js';
import { OpenFiles } from './open-files.js';
import { isOwnFile, notFound } from './own-files.js';
import { openSnapshot, type Snapshot } from './snapshot.js';
import type { WatchedStorage } from './watched-storage.js';

export const LOCK = 'writer.lock';

/**
 * A collection's files and its present state. Data files never change; the manifest, replaced in
 * one step, says which of them count. A commit writes data files, makes sure that they are kept,
 * replaces the manifest, reads it back, and only then deletes what nothing refers to any more.
 */
export interface Store {
  readonly storage: WatchedStorage;
  readonly device: SearchDevice;
  /** The last committed state that was seen. */
  readonly snapshot: Snapshot;
  /** A name for a new data file. */
  newName(kind: 'segment' | 'codes' | 'deleted' | 'model'): string;
  /**
   * Writes a data file that the next commit refers to; under another number where its name is
   * taken. Rejects with 'locked' and 'storage-failed'.
   */
  write(file: EncodedFile): Promise<FileEntry>;
  /**
   * Makes a new state out of the present one, and resolves when it is safe. Rejects with
   * 'storage-failed', and with 'locked' where another writes by now; the present state then stays,
   * unless the message says otherwise.
   */
  commit(change: (manifest: IndexManifest) => IndexManifest): Promise<void>;
  /** Deletes what was written since the last commit. */
  discard(): Promise<void>;
  /**
   * The same for one call, which alone discards what it has written, and changes nothing any more
   * once its signal has aborted.
   */
  writing(signal: AbortSignal): Store;
  /**
   * Resolves when the manifest is not being replaced, which a call that was stopped may have left
   * behind, and when it is known what became of the last commit. Rejects as long as that cannot be
   * told, and where the files are not this writer's any more.
   */
  ready(): Promise<void>;
  /**
   * Takes over what another process has committed, if `check` does not raise. Returns whether there
   * was something.
   */
  refresh(signal: AbortSignal, check: (manifest: IndexManifest) => void): Promise<boolean>;
  /**
   * Calls that were stopped can change nothing any more. Gives back the lock once nothing that they
   * began can. Calling it again tries again what failed.
   */
  close(): Promise<void>;
}

/** By a storage's name the first number that no file has which a closed store is still writing. */
const unfinished = new Map<string, number>();

/**
 * Opens the store; with a lock it may commit. Rejects with 'not-found', 'bad-file' and
 * 'unsupported'.
 */
export async function openStore(
  storage: WatchedStorage,
  device: SearchDevice,
  lock: StorageLock | null,
): Promise<Store> {
  const files = new OpenFiles(storage, device);
  const open = (manifest: IndexManifest): Promise<Snapshot> =>
    openSnapshot(device, files, manifest);
  let { snapshot, bytes: present } = await openPresent(storage, open);
  let next = Math.max(snapshot.manifest.next, unfinished.get(storage.name) ?? 0);
  /** Why this store cannot commit any more. */
  let broken: unknown;
  /** A commit of which nobody knows whether it is in place. */
  let unsure:
    | { manifest: IndexManifest; bytes: Uint8Array; failure: unknown; written: FileEntry[] }
    | undefined;
  /** The last replacement of the manifest, with what belongs to it. */
  let replacing: Promise<unknown> = Promise.resolve();
  let retiring: Promise<void> | undefined;

  const confirm = async (): Promise<void> => lock?.confirm?.();
  const swap = (fresh: Snapshot, bytes: Uint8Array): void => {
    const old = snapshot;
    snapshot = fresh;
    present = bytes;
    // searches under way keep the old state; nobody waits for them
    void old.retire();
  };
  const discard = async (written: FileEntry[]): Promise<void> => {
    // in place of this folder there may be another, with files of these names
    if (written.length === 0 || broken || !(await succeeds(confirm()))) return;
    for (const { name } of written.splice(0)) await storage.delete(name).catch(() => undefined);
  };
  /**
   * Deletes what nothing refers to. `before`: a file of a later number is another call's. `own`:
   * names that are known to be a collection's.
   */
  const sweep = async (before = Infinity, own: ReadonlySet<string> = new Set()): Promise<void> => {
    const current = new Set([MANIFEST, ...filesOf(snapshot.manifest).map(({ name }) => name)]);
    await confirm();
    for (const name of await storage.list())
      if (
        !current.has(name) &&
        numberOf(name) < before &&
        (own.has(name) || (await isOwnFile(storage, name)))
      )
        await storage.delete(name);
  };
  /**
   * Replaces the manifest, finds out whether it was, and takes over the new state. Returns what the
   * storage said, if it failed all the same.
   */
  const replace = async (
    fresh: Snapshot,
    bytes: Uint8Array,
    written: FileEntry[],
  ): Promise<unknown> => {
    if (!lock) throw new Error('a commit without a lock');
    const done = await guardedReplace(storage, lock, MANIFEST, present, bytes);
    if (done.now === 'new') {
      swap(fresh, bytes);
      return done.failure;
    }
    if (done.now === 'other') broken = done.failure;
    if (done.now === 'unknown')
      unsure = {
        manifest: fresh.manifest,
        bytes,
        failure: done.failure,
        written: written.splice(0),
      };
    // a loss of power may bring back the manifest that refers to them
    if (done.now === 'old' && done.unsettled) written.splice(0);
    await fresh.retire();
    throw done.failure;
  };
  /** Finds out what became of a commit that could not be read back. */
  const settle = async ({
    manifest,
    bytes,
    failure,
    written,
  }: NonNullable<typeof unsure>): Promise<void> => {
    const now = await readIfThere(storage, MANIFEST);
    if (sameBytes(now, bytes)) swap(await open(manifest), bytes);
    else if (sameBytes(now, present)) await discard(written);
    else {
      broken = failure;
      throw failure;
    }
    unsure = undefined;
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
        await confirm();
        for (let { name } = entry; ; name = name.replace(/\d+/, String(next++))) {
          signal?.throwIfAborted();
          const file = { ...entry, name };
          try {
            // it may be there by halves
            written.push(file);
            await storage.write(name, bytes, { create: true });
            return file;
          } catch (error) {
            if (!isLemurError(error, 'already-exists')) throw error;
            // somebody else's, which stays
            written.pop();
          }
        }
      },
      async commit(change) {
        if (broken ?? unsure) throw broken ?? unsure?.failure;
        await confirm();
        const before = next;
        const manifest = {
          ...change(snapshot.manifest),
          generation: snapshot.manifest.generation + 1,
          next,
        };
        const bytes = encodeManifest(manifest);
        let fresh: Snapshot;
        try {
          await storage.sync();
          for (const { name, bytes: expected } of written) {
            const size = await storedSize(storage, name);
            if (size !== expected)
              throw lost(
                storage,
                `${name} has ${size} bytes after it was written, expected ${expected}`,
              );
          }
          fresh = await open(manifest);
        } catch (error) {
          await confirm();
          throw isLemurError(error, 'not-found') ? lost(storage, error.message) : error;
        }
        // the last moment: by then another call may have begun, or the lock been given back
        if (signal?.aborted) {
          await fresh.retire();
          throw signal.reason;
        }
        const own = new Set(filesOf(snapshot.manifest).map(({ name }) => name));
        const replaced = replace(fresh, bytes, written);
        replacing = replaced.catch(() => undefined);
        const failure = await replaced;
        written = [];
        // it is in place, but perhaps not for good
        if (failure !== undefined) throw committed(storage, failure);
        await sweep(before, own).catch(() => undefined);
      },
      discard: () => discard(written),
      writing,
      async ready() {
        await replacing;
        if (broken) throw broken;
        if (unsure) await settle(unsure);
      },
      async refresh(stop, check) {
        if (lock || sameBytes(await storage.read(MANIFEST), present)) return false;
        const { snapshot: fresh, bytes } = await openPresent(storage, open);
        try {
          stop.throwIfAborted();
          check(fresh.manifest);
        } catch (error) {
          await fresh.retire();
          throw error;
        }
        swap(fresh, bytes);
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
        retiring ??= snapshot.retire();
        await Promise.all([release(), retiring]);
      },
    };
  };
  return writing(undefined);
}

async function succeeds(promise: Promise<void>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

/** The error for a commit that the storage rejected, and that could not be taken back. */
function committed({ name }: WatchedStorage, cause: unknown): LemurError {
  const problem = `the change is committed, but may not survive a loss of power: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new LemurError('storage-failed', `${name}: ${problem}`, { where: name }, { cause });
}

/** The manifest's bytes. Rejects with 'not-found', saying what is there instead. */
export async function readManifest(storage: WatchedStorage): Promise<Uint8Array> {
  try {
    return await storage.read(MANIFEST);
  } catch (error) {
    throw isLemurError(error, 'not-found') ? await notFound(storage, error) : error;
  }
}

/** Times that a writer may replace the state while it is being opened. */
const ATTEMPTS = 20;

/**
 * The state that the manifest gives. A writer may delete files between the reading of the manifest
 * and the opening of what it names.
 */
async function openPresent(
  storage: WatchedStorage,
  open: (manifest: IndexManifest) => Promise<Snapshot>,
): Promise<{ snapshot: Snapshot; bytes: Uint8Array }> {
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
function missingAsDamage(error: unknown, { name }: WatchedStorage): unknown {
  if (!(error instanceof LemurError) || error.code !== 'not-found') return error;
  return new LemurError(
    'bad-file',
    `${name}: the collection is damaged: ${error.message}`,
    { where: name },
    { cause: error },
  );
}

function lost(storage: WatchedStorage, problem: string): LemurError {
  return new LemurError(
    'storage-failed',
    `${storage.name}: the storage did not keep what was written: ${problem}`,
    {
      where: storage.name,
    },
  );
}

/** Of a data file. */
function numberOf(name: string): number {
  return Number(name.split('.')[1]) || 0;
}
