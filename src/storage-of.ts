import { LemurError } from './errors.js';
import { platform } from './platform.js';
import { checkedReading, checkedStorage } from './storage/checked-storage.js';
import { readOnlyStorage, WRITING_CALLS } from './storage/read-only-storage.js';
import type { ReadableStorage, Storage } from './storage/storage.js';

const READING_CALLS = ['read', 'open'] as const;

/**
 * A storage, or the folder of a path or a `file:` URL, which a later change of the working
 * directory does not move. Raises 'invalid-argument' for anything else.
 */
export function storageOf(at: string | URL | Storage): Storage {
  if (isPath(at)) return platform().openFolder(at);
  const lacks = [...READING_CALLS, ...WRITING_CALLS].find((call) => !hasCall(at, call));
  if (lacks === undefined) return checkedStorage(at);
  throw notStorage(at, lacks);
}

/**
 * The same for reading: of a storage that cannot be written, the calls that would change it reject
 * with 'read-only'.
 */
export function storageToRead(at: string | URL | ReadableStorage): Storage {
  if (isPath(at)) return platform().openFolder(at);
  const lacks = READING_CALLS.find((call) => !hasCall(at, call));
  if (lacks !== undefined) throw notStorage(at, lacks);
  const isWhole = WRITING_CALLS.every((call) => hasCall(at, call));
  return isWhole ? checkedStorage(at as Storage) : readOnlyStorage(checkedReading(at));
}

function isPath(at: unknown): at is string | URL {
  return typeof at === 'string' || Object.prototype.toString.call(at) === '[object URL]';
}

function hasCall(at: unknown, name: string): boolean {
  return typeof (at as Record<string, unknown> | null | undefined)?.[name] === 'function';
}

function notStorage(at: unknown, lacks: string): LemurError {
  const got =
    at === null ? 'null' : typeof at === 'object' ? `an object without ${lacks}()` : typeof at;
  return new LemurError(
    'invalid-argument',
    `at: expected a folder's path, a file: URL or a storage, got ${got}`,
    { where: 'at' },
  );
}
