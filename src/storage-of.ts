import { LemurError } from './errors.js';
import { platform } from './platform.js';
import { checkedStorage } from './storage/checked-storage.js';
import type { Storage } from './storage/storage.js';

const METHODS = [
  'read',
  'readRange',
  'size',
  'open',
  'write',
  'replace',
  'list',
  'delete',
  'sync',
  'lock',
] as const;

/**
 * A storage, or the folder of a path or a `file:` URL, which a later change of the working
 * directory does not move. Raises 'invalid-argument' for anything else.
 */
export function storageOf(at: string | URL | Storage): Storage {
  if (typeof at === 'string' || Object.prototype.toString.call(at) === '[object URL]')
    return platform().openFolder(at as string | URL);
  const given = at as Partial<Storage> | null | undefined;
  const lacks = METHODS.find((name) => typeof given?.[name] !== 'function');
  if (lacks === undefined) return checkedStorage(at as Storage);
  const got =
    given === null
      ? 'null'
      : typeof given === 'object'
        ? `an object without ${lacks}()`
        : typeof given;
  throw new LemurError(
    'invalid-argument',
    `at: expected a folder's path, a file: URL or a storage, got ${got}`,
    { where: 'at' },
  );
}
