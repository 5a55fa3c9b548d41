import { getSystemErrorMap } from 'node:util';
import { LemurError } from '../errors.js';

/** What the system says of paths that lead nowhere. */
const ABSENT: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'];

/** Whether the system found nothing at a path. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.includes((error as { code?: unknown } | null)?.code);
}

/** A failed read as an error of ours: 'not-found' where there is no file, or a folder in its place. Anything else stays what it is. */
export function fileError(path: string, cause: unknown, advice = ''): unknown {
  const folder = (cause as { code?: unknown } | null)?.code === 'EISDIR';
  if (!folder && !isAbsent(cause)) return cause;
  const problem = folder ? 'a folder, expected a file' : 'no such file';
  return new LemurError('not-found', `${path}: ${problem}${advice}`, { where: path }, { cause });
}

/** What the system's codes mean to who writes. */
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
  EISDIR: 'a folder, expected a file',
  ENOTDIR: 'what its path names as a folder is none',
  ENAMETOOLONG: 'the name is too long',
  EBUSY: 'in use',
};

/**
 * A failed change of a file as an error of ours: 'storage-failed', with the reason in words. What is not the system's stays what it is.
 * `done` is what could not be done to the file: written, replaced, deleted.
 */
export function writeError(path: string, done: string, cause: unknown): unknown {
  const { code, errno } = (cause ?? {}) as { code?: unknown; errno?: unknown };
  if (typeof code !== 'string' || typeof errno !== 'number') return cause;
  const reason = REASONS[code] ?? getSystemErrorMap().get(errno)?.[1] ?? code;
  return new LemurError('storage-failed', `${path}: could not be ${done}: ${reason}`, { where: path }, { cause });
}
