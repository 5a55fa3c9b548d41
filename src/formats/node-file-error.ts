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
