import { isLemurError, type LemurError, storageFailed } from '../errors.js';
import type { ReadableStorage, Storage, StorageLock } from './storage.js';

/**
 * The outcome of a replacement: the new content is in place for good; or `failure`, and what is
 * there now.
 */
export type Replaced =
  | { now: 'new'; failure?: unknown }
  /**
   * `unsettled`: the new content was there for a moment, and may be again after a loss of power.
   */
  | { now: 'old'; failure: unknown; unsettled?: boolean }
  /** Somebody else's content, or none. */
  | { now: 'other'; failure: unknown }
  /** It could not be read. */
  | { now: 'unknown'; failure: unknown };

/**
 * Replaces a file that holds `before` (null: that is not there) while the lock is held, and makes
 * sure of both right before the last step, and of the outcome after it. Where the storage rejects
 * although it has replaced the file, the old content is put back.
 */
export async function guardedReplace(
  storage: Storage,
  lock: StorageLock,
  file: string,
  before: Uint8Array | null,
  bytes: Uint8Array,
): Promise<Replaced> {
  const check = async (expected: Uint8Array | null): Promise<void> => {
    await lock.confirm?.();
    if (!sameBytes(await readIfThere(storage, file), expected)) throw otherContent(storage, file);
  };
  let failure: unknown;
  try {
    // a storage may leave out the second
    await check(before);
    await storage.replace(file, bytes, () => check(before));
  } catch (error) {
    failure = error;
  }
  const found = await whatIsThere(storage, file, before, bytes);
  if (found === 'new' && failure === undefined) return { now: 'new' };
  if (found !== 'new') return { now: found, failure: failure ?? notKept(storage, file) };
  try {
    if (before) await storage.replace(file, before, () => check(bytes));
    else await storage.delete(file);
  } catch {
    // what is there now says whether it was done
  }
  const left = await whatIsThere(storage, file, before, bytes);
  return left === 'old' ? { now: left, failure, unsettled: true } : { now: left, failure };
}

async function whatIsThere(
  storage: Storage,
  file: string,
  before: Uint8Array | null,
  bytes: Uint8Array,
): Promise<'new' | 'old' | 'other' | 'unknown'> {
  try {
    const kept = await readIfThere(storage, file);
    if (sameBytes(kept, bytes)) return 'new';
    return sameBytes(kept, before) ? 'old' : 'other';
  } catch {
    return 'unknown';
  }
}

/** A whole file; null where there is none. */
export async function readIfThere(
  storage: ReadableStorage,
  file: string,
): Promise<Uint8Array | null> {
  try {
    return await storage.read(file);
  } catch (error) {
    if (isLemurError(error, 'not-found')) return null;
    throw error;
  }
}

export function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The error for a file that another writer has changed, or that lies in another folder by now. */
export function otherContent(storage: Storage, file: string): LemurError<'storage-failed'> {
  const where = `${storage.name}/${file}`;
  const problem =
    'not what this writer wrote last: another has changed it, or the folder was replaced; ' +
    'nothing of it was touched. Open it again';
  return storageFailed(where, problem);
}

function notKept(storage: Storage, file: string): LemurError<'storage-failed'> {
  const problem = `the storage did not keep what was written: ${file} is not what was written`;
  return storageFailed(storage.name, problem);
}
