import { LemurError } from '../../errors.js';
import type { Scalar } from './column.js';
import type { Metadata } from './metadata.js';

/**
 * Different paths that the metadata of a collection's documents may have: each is a column of every
 * segment in which a document has it.
 */
export const MOST_PATHS = 2048;

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
 * 'invalid-argument' for the first that would be one too many; a document of known paths passes,
 * however many there are.
 */
export function notePaths(metadata: Metadata, known: Set<string>, where: string): void {
  visitPaths(metadata, '', (path) => {
    if (known.has(path)) return;
    if (known.size >= MOST_PATHS) {
      const got = `it brings the collection to ${known.size + 1} different paths of keys`;
      const problem = `${got}, expected at most ${MOST_PATHS}`;
      const advice =
        'keys that differ from document to document belong in values, as in [{ name, value }]';
      throw new LemurError('invalid-argument', `${where}.metadata: ${problem}: ${advice}`, {
        where: `${where}.metadata`,
      });
    }
    known.add(path);
  });
}
