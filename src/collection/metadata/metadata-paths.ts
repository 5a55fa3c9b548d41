import { invalidArgument, type LemurError } from '../../errors.js';
import type { Scalar } from './column.js';
import type { Metadata } from './metadata.js';

/**
 * Different paths that the metadata of a collection's documents may have: each is a column of every
 * segment in which a document has it.
 */
export const MOST_PATHS = 2048;
/**
 * Bytes that these paths may have together, as strings of JSON: a segment's header, which names
 * each of them twenty times, stays within what is read of headers.
 */
export const MOST_PATH_BYTES: number = 2 ** 19;

/** The paths of the metadata of a collection's documents. */
export class KnownPaths {
  readonly #paths: Set<string>;
  #bytes = 0;

  constructor(paths: Iterable<string> = []) {
    this.#paths = new Set(paths);
    for (const path of this.#paths) this.#bytes += bytesOf(path);
  }

  get size(): number {
    return this.#paths.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  add(path: string): void {
    this.#paths.add(path);
    this.#bytes += bytesOf(path);
  }

  copy(): KnownPaths {
    return new KnownPaths(this.#paths);
  }
}

const encoder = new TextEncoder();

/** In a string of JSON that is a string of JSON. */
function bytesOf(path: string): number {
  return encoder.encode(JSON.stringify(JSON.stringify(path))).length;
}

/**
 * Calls `visit` with every path of keys within an object, joined by dots, and what is there: a
 * scalar, the scalars of an array, or undefined for an object, whose own paths follow. Objects in
 * an array are entered, arrays in an array are not; a path may come several times.
 */
export function visitPaths(
  object: Metadata,
  prefix: string,
  visit: (path: string, found: Scalar | Scalar[] | undefined) => void,
): void {
  for (const key of Object.keys(object)) {
    const value = object[key];
    const path = prefix + key;
    if (Array.isArray(value)) {
      visit(path, value.filter(isScalar));
      for (const item of value)
        if (!isScalar(item) && !Array.isArray(item)) visitPaths(item, `${path}.`, visit);
    } else if (isScalar(value)) {
      visit(path, value);
    } else {
      visit(path, undefined);
      visitPaths(value, `${path}.`, visit);
    }
  }
}

/**
 * How many values are in it, objects and arrays included: what the time of all that is done with it
 * goes by.
 */
export function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const item of Object.values(value)) count += countValues(item);
  return count;
}

function isScalar(value: unknown): value is Scalar {
  return typeof value !== 'object' || value === null;
}

/**
 * Notes the paths of a document's metadata beside those that the collection has. Raises
 * 'invalid-argument' for the first that would be one, or some bytes, too many; a document of known
 * paths passes,
 * however many there are.
 */
export function notePaths(metadata: Metadata, known: KnownPaths, where: string): void {
  visitPaths(metadata, '', (path) => {
    if (known.has(path)) return;
    known.add(path);
    const { size, bytes } = known;
    if (size > MOST_PATHS) throw tooMany(where, `${size} different paths of keys`, MOST_PATHS);
    if (bytes > MOST_PATH_BYTES)
      throw tooMany(where, `${bytes} bytes of paths of keys`, MOST_PATH_BYTES);
  });
}

function tooMany(where: string, got: string, most: number): LemurError {
  const problem = `it brings the collection to ${got}, expected at most ${most}`;
  const advice =
    'keys that differ from document to document belong in values, as in [{ name, value }]';
  return invalidArgument(`${where}.metadata`, `${problem}: ${advice}`);
}
