import { link, readdir, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isAbsent, writeError } from '../bytes/node-file-error.js';
import { isLemurError, LemurError, storageFailed } from '../errors.js';
import { renameOver, writeNew } from './node-durable.js';
import {
  type FileIdentity,
  isGone,
  isSameFile,
  type LockContent,
  type LockOwner,
  newOwner,
  readLock,
} from './node-lock-owner.js';
import { releaseOnce } from './release-once.js';
import type { StorageLock } from './storage.js';

/**
 * After so many milliseconds a lock that cannot be understood is what a crash left, not one that is
 * being written.
 */
const UNREADABLE_LIMIT = 10_000;

/**
 * Takes the lock that is the file at `path`: who made the file holds it, and its content says who
 * that is. Rejects with 'locked'.
 *
 * **Taking.** The content is written to a file of another name, which is then linked to `path`: the
 * lock appears whole, and to one process alone.
 *
 * **Taking over.** A lock with token T whose owner is gone is replaced, never deleted, and only by
 * who made a marker of T, `<path>.<T>.<n>`, while the lock still held T:
 *
 * 1. Make the first marker that is not there. A marker that is there bars the way if its maker
 *   lives and the lock still holds T
 *    ('locked' by that one); if its maker is gone, the next number is tried.
 * 2. Read the lock again. If it does not hold T any more, delete the marker and start over.
 * 3. Rename the file with one's own content over the lock; then delete the markers of T.
 *
 * Only one at a time is between 2 and 3. Tokens are used once: T, once replaced, never comes back,
 * so who makes a marker after that turns back at 2. Before that a marker is deleted only by its own
 * maker, when it failed and does no more. So of two with markers of T, the one with the higher
 * number saw the lower marker there and its maker gone, and who is gone does no more either. Dying
 * between any two steps leaves T with a marker that the next one passes by, or another token with
 * nobody behind it, which is taken over in turn.
 *
 * A lock that cannot be understood (zeros after a loss of power) is taken over when it is old; its
 * T is made of its inode and time.
 *
 * **Where there are no links** the file is created by its final name, then written. Between the two
 * it cannot be understood, so there the lock holds only as long as nobody is stopped for
 * `UNREADABLE_LIMIT` between the two; who sees that it was looks again after a pause.
 *
 * **What it rests on.** Host names tell hosts apart, containers included: a process is looked for
 * by its number on the host of its lock alone.
 */
export async function lockFile(path: string): Promise<StorageLock> {
  const me = await newOwner();
  const draft = `${path}.${me.token}.tmp`;
  try {
    await writeNew(draft, contentOf(me));
    await acquire(path, draft, me);
  } catch (error) {
    // it may have been taken before something else failed
    if (!isLemurError(error, 'locked')) await release(path, me.token).catch(() => {});
    throw error;
  } finally {
    await remove(draft).catch(() => {});
  }
  // what others left does no harm
  await sweep(path, me).catch(() => {});
  const mine = (await readLock(path).catch(() => undefined))?.file;
  return releaseOnce(
    () => release(path, me.token, mine),
    () => confirm(path, me.token, mine),
  );
}

/**
 * Tokens of locks that this thread gave back or gave up, but whose files may still be there: they
 * could not be deleted, or were moved with their folder.
 */
const givenBack = new Set<string>();

async function acquire(path: string, draft: string, me: LockOwner): Promise<void> {
  for (;;) {
    if (await create(path, draft, me)) return;
    const held = await readWritten(path);
    if (!held) continue;
    // some network file systems say of a link that they made that it was there
    if (held.token === me.token) return;
    if (!(await isLeft(held))) throw lockedBy(path, path, held);
    if (await takeOver(path, draft, held.token, me)) return;
  }
}

/** Makes a file that says who I am, where there is none; false where there is one. */
async function create(path: string, draft: string, me: LockOwner): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
  }
  // no links there, or an error that this meets again
  const begun = performance.now();
  try {
    await writeNew(path, contentOf(me));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  // somebody may have taken it for what a crash left, and be about to replace it
  if (performance.now() - begun > UNREADABLE_LIMIT / 2) await setTimeout(1000);
  return (await readLock(path))?.token === me.token;
}

/** Steps 1 to 3; false: start over. */
async function takeOver(
  path: string,
  draft: string,
  token: string,
  me: LockOwner,
): Promise<boolean> {
  const marker = await mark(path, draft, token, me);
  if (marker === undefined) return false;
  try {
    if ((await readLock(path))?.token !== token) {
      await remove(marker);
      return false;
    }
    await renameOver(draft, path);
  } catch (error) {
    await remove(marker).catch(() => {});
    throw error;
  }
  return true;
}

/** Step 1: the marker's path; undefined where the lock was taken over meanwhile. */
async function mark(
  path: string,
  draft: string,
  token: string,
  me: LockOwner,
): Promise<string | undefined> {
  for (let n = 1; ; ) {
    const marker = `${path}.${token}.${n}`;
    if (await create(marker, draft, me)) return marker;
    const made = await readWritten(marker);
    if (made?.token === me.token) return marker;
    if (made && !(await isLeft(made))) {
      // its maker may be one that came too late, and is about to turn back
      if ((await readLock(path))?.token !== token) return undefined;
      throw lockedBy(path, marker, made);
    }
    // gone meanwhile: the same number again
    if (made) n++;
  }
}

/** Reads a lock or a marker; one that is just being written is waited for, a little. */
async function readWritten(path: string): Promise<LockContent | undefined> {
  for (let tries = 1; ; tries++) {
    const content = await readLock(path);
    if (!content || content.owner || content.age > UNREADABLE_LIMIT || tries === 20) return content;
    await setTimeout(20);
  }
}

/** Whether a lock or a marker is what somebody left who is gone. */
async function isLeft({ owner, age }: LockContent): Promise<boolean> {
  if (!owner) return age > UNREADABLE_LIMIT;
  return givenBack.has(owner.token) || isGone(owner);
}

/**
 * Deletes what takings of this lock left beside it. The holder may: markers of other tokens than
 * its own have no effect any more, and drafts are deleted when their makers are gone.
 */
async function sweep(path: string, me: LockOwner): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const [token, end, ...more] = name.slice(prefix.length).split('.');
    if (
      more.length > 0 ||
      !/^[0-9a-f-]{10,}$/.test(token) ||
      !/^(tmp|\d+)$/.test(end ?? '') ||
      token === me.token
    )
      continue;
    const left = await readLock(join(folder, name)).catch(() => undefined);
    if (left && (end !== 'tmp' || (await isLeft(left)))) await remove(join(folder, name));
  }
}

async function release(path: string, token: string, mine?: FileIdentity): Promise<void> {
  givenBack.add(token);
  try {
    const content = await readLock(path);
    if (content?.token !== token || isCopy(content, mine)) return;
    await remove(path);
    givenBack.delete(token);
  } catch (cause) {
    throw writeError(path, 'unlocked', cause);
  }
}

/**
 * Raises 'locked' where the file says another by now, 'storage-failed' where it is not there, or a
 * copy of it.
 */
async function confirm(path: string, token: string, mine: FileIdentity | undefined): Promise<void> {
  const content = await readLock(path).catch((cause: unknown) => {
    throw writeError(path, 'read', cause);
  });
  const copied = content?.token === token && isCopy(content, mine);
  if (content?.token === token && !copied) return;
  if (content && !copied) throw lockedBy(path, path, content);
  const problem =
    'the lock is gone: its folder was moved, replaced or removed, or the file deleted; ' +
    'open it again where it is now';
  throw storageFailed(path, problem);
}

/** A folder that took the place of ours may be a copy of it, lock included. */
const isCopy = ({ file }: LockContent, mine: FileIdentity | undefined): boolean =>
  mine !== undefined && !isSameFile(file, mine);

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
  });
}

/** The error for a lock that somebody holds, as the file at `at` says. */
function lockedBy(path: string, at: string, { owner }: LockContent): LemurError<'locked'> {
  const name = owner
    ? `process ${owner.pid} on ${owner.host} since ${owner.since}`
    : 'a process that has just begun to lock it';
  const foreign = owner && owner.host !== hostname();
  const advice = foreign
    ? `; from here nobody can tell whether that process lives: if it is surely gone, delete ${at}`
    : '';
  return new LemurError('locked', `${path}: locked by ${name}${advice}`, {
    where: path,
    owner: name,
  });
}

const contentOf = (owner: LockOwner): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(owner)}\n`);

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;
