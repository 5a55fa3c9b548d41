import { randomUUID } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsent } from '../bytes/node-file-error.js';
import { checkRegular, notAFile, READ_NO_LINK } from '../bytes/node-regular-file.js';

/** Who holds a lock, as its file says in JSON. */
export interface LockOwner {
  /** Process id. */
  pid: number;
  host: string;
  /**
   * When the process started: the boot's id and the ticks since then; absent where the system does
   * not tell.
   */
  started?: string | undefined;
  /** Of this taking of the lock alone; a UUID. */
  token: string;
  /** When the lock was taken: ISO 8601. */
  since: string;
}

/** The content of a lock file, or of a marker beside it. */
export interface LockContent {
  /** The owner's token; for a file that cannot be understood, what tells it from all others. */
  token: string;
  /** Undefined: the file cannot be understood. */
  owner: LockOwner | undefined;
  /** Milliseconds since it was written. */
  age: number;
  /** Which file it was read from. */
  file: FileIdentity;
}

export interface FileIdentity {
  dev: bigint;
  ino: bigint;
  ctimeNs: bigint;
}

/**
 * False for a copy. Either may change alone: some file systems give a file other numbers later, and
 * chmod another time.
 */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return (a.dev === b.dev && a.ino === b.ino) || a.ctimeNs === b.ctimeNs;
}

const TOKEN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** This process, with a new token. */
export async function newOwner(): Promise<LockOwner> {
  const { started } = await lookUp(process.pid);
  return {
    pid: process.pid,
    host: hostname(),
    started,
    token: randomUUID(),
    since: new Date().toISOString(),
  };
}

/** Bytes of a lock that are read. */
const MOST_BYTES = 4096;

/**
 * Reads a lock or a marker; undefined where there is none. Raises for what is no file: a folder, a
 * named pipe, a link.
 */
export async function readLock(path: string): Promise<LockContent | undefined> {
  const file = await open(path, READ_NO_LINK).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'ELOOP') throw notAFile('a link');
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    // the age first: the content is then at least as new
    const stats = await file.stat({ bigint: true });
    checkRegular(stats);
    const { dev, ino, ctimeNs, mtimeNs } = stats;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
    const owner = parseOwner(buffer.toString('utf8', 0, bytesRead));
    const age = Date.now() - Number(mtimeNs / 1_000_000n);
    return { owner, token: owner?.token ?? `${ino}-${mtimeNs}`, age, file: { dev, ino, ctimeNs } };
  } finally {
    await file.close();
  }
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const { pid, host, started, token, since } = JSON.parse(text) as Record<
      keyof LockOwner,
      unknown
    >;
    if (!isProcessId(pid) || typeof host !== 'string' || typeof since !== 'string')
      return undefined;
    if (
      typeof token !== 'string' ||
      !TOKEN.test(token) ||
      (started !== undefined && typeof started !== 'string')
    )
      return undefined;
    return { pid, host, started, token, since };
  } catch {
    return undefined;
  }
}

// zero and less would mean groups of processes
const isProcessId = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) < 2 ** 31;

/**
 * Whether the owner's process is surely gone: it ran on this host, and none has its number, or one
 * that started at another time.
 */
export async function isGone({ host, pid, started }: LockOwner): Promise<boolean> {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: somebody else's
    if ((error as { code?: unknown }).code === 'ESRCH') return true;
  }
  const now = await lookUp(pid);
  return (
    now.ended || (started !== undefined && now.started !== undefined && now.started !== started)
  );
}

/** A process as Linux describes it. */
async function lookUp(pid: number): Promise<{ started: string | undefined; ended: boolean }> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // the second field is the command's name in parentheses, with spaces and parentheses of its
    // own; the third is the state
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    // a process that ended and that nobody has waited for still has its number
    return {
      started: fields[19] && `${boot} ${fields[19]}`,
      ended: fields[0] === 'Z' || fields[0] === 'X',
    };
  } catch {
    return { started: undefined, ended: false };
  }
}
