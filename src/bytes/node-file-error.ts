import { getSystemErrorMap } from 'node:util';
import { LemurError, type LemurErrorCode, storageFailed } from '../errors.js';

/** The system's codes for paths that lead nowhere. */
const ABSENT: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'];

/** Whether the system found nothing at a path. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.includes((error as { code?: unknown } | null)?.code);
}

/**
 * The kind of thing in place of a file, as a failed call says; undefined where that did not fail.
 */
function kindOf(cause: unknown): string | undefined {
  const { code, kind, syscall } = (cause ?? {}) as {
    code?: unknown;
    kind?: string;
    syscall?: unknown;
  };
  if (code === 'ENOTFILE') return kind;
  if (code === 'EISDIR') return 'a folder';
  // a socket, or a device that is not there
  return code === 'ENXIO' && syscall === 'open' ? 'a socket or a device' : undefined;
}

/**
 * A failed read as an error of ours: 'not-found' where there is no file, or a folder, a pipe, a
 * device in its place; 'invalid-argument' for what can be no path; 'storage-failed' for what else
 * the system may say. What is not the system's stays what it is.
 */
export function fileError(
  path: string,
  cause: unknown,
  expected: 'file' | 'folder' = 'file',
): unknown {
  const { code } = (cause ?? {}) as { code?: unknown };
  const failed = (kind: LemurErrorCode, problem: string): LemurError =>
    new LemurError(kind, `${path}: ${problem}`, { where: path }, { cause });
  // the only value of a path that Node refuses
  if (code === 'ERR_INVALID_ARG_VALUE') return failed('invalid-argument', 'a path with NUL in it');
  if (code === 'ERR_FS_FILE_TOO_LARGE')
    return failed('unsupported', 'larger than the 2 GiB that are read at once');
  const kind = kindOf(cause);
  if (kind !== undefined) return failed('not-found', `${kind}, expected a file`);
  if (!isAbsent(cause)) return writeError(path, 'read', cause);
  return failed(
    'not-found',
    code === 'ENOENT' ? `no such ${expected}` : `no such ${expected}: ${REASONS[code as string]}`,
  );
}

/** Meanings of the system's codes to who writes. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'larger than a file may be there',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  EIO: 'the device failed',
  ENXIO: 'the device is gone',
  ENODEV: 'the device is gone',
  ESTALE: 'the device is gone',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ENOENT: 'its folder is gone',
  ENOTDIR: 'what its path names as a folder is none',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'links that lead to each other',
  EBUSY: 'in use',
};

/**
 * A call that failed as an error of ours: 'storage-failed', with the reason in words. What is not
 * the system's stays what it is. `done` is what could not be done to the file: read, written,
 * replaced, deleted.
 */
export function writeError(path: string, done: string, cause: unknown): unknown {
  const { code, errno } = (cause ?? {}) as { code?: unknown; errno?: unknown };
  const kind = kindOf(cause);
  if (kind === undefined && (typeof code !== 'string' || typeof errno !== 'number')) return cause;
  const reason =
    kind !== undefined
      ? `${kind}, expected a file`
      : (REASONS[code as string] ?? getSystemErrorMap().get(errno as number)?.[1] ?? code);
  return storageFailed(path, `could not be ${done}: ${reason}`, cause);
}
