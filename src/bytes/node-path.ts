import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invalidArgument, type LemurError, notFound } from '../errors.js';

/** An address; a drive letter (C:\\) is no scheme. */
const ADDRESS = /^[a-z][a-z0-9+.-]+:\/\//i;

/**
 * The absolute path that a path or a `file:` URL (an object or a string) means now: a later change
 * of the working directory does not move it. Raises 'invalid-argument', naming `where`, for
 * anything else.
 */
export function absolutePath(at: string | URL, where = 'path'): string {
  const refused = (got: string, cause?: unknown): LemurError =>
    invalidArgument(where, `expected a path or a file: URL, got ${got}`, cause);
  const isUrl = isUrlObject(at);
  if (typeof at !== 'string' && !isUrl) throw refused(at === null ? 'null' : typeof at);
  const text = String(at);
  if (text === '') throw refused('an empty string');
  if (text.includes('\0'))
    throw refused(`${JSON.stringify(text)}, which has a NUL character in it`);
  if (!/^file:/i.test(text)) {
    if (isUrl || ADDRESS.test(text)) throw refused(text);
    return resolved(text, where);
  }
  // `file:notes` is no path of any folder: URLs know no relative ones
  if (!/^file:\//i.test(text))
    throw refused(`${text}; a file: URL has an absolute path, file:///...`);
  try {
    return withoutNul(fileURLToPath(new URL(text)));
  } catch (cause) {
    throw refused(`${text}: ${(cause as Error).message}`, cause);
  }
}

/** A process may outlive its working directory. */
function resolved(path: string, where: string): string {
  try {
    return resolve(path);
  } catch (cause) {
    const problem =
      `a relative path, ${path}, and the working directory is gone; ` + 'give an absolute path';
    throw notFound(where, problem, cause);
  }
}

/** Whether a value is a URL object, of this realm or another. */
export function isUrlObject(value: unknown): value is URL {
  return value instanceof URL || Object.prototype.toString.call(value) === '[object URL]';
}

function withoutNul(path: string): string {
  if (path.includes('\0')) throw new Error('a NUL character in it');
  return path;
}
