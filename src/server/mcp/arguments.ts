import { describeKind, showValue } from '../../value-kind.js';
import { badRequest } from '../problem.js';
import { collectionNamed, type ServedCollection, type ServedCollections } from '../served.js';
import type { ToolArguments } from './tool.js';

/** Schema of the argument that chooses a collection. */
export const COLLECTION: object = {
  type: 'string',
  description: 'Name of the collection, as list tells it. Not needed where there is only one.',
};

/** The collection that is meant. Raises a problem that names those there are. */
export function chosenCollection(
  served: ServedCollections,
  given: ToolArguments,
): ServedCollection {
  const { collection } = given;
  const names = [...served.collections.keys()];
  if (collection === undefined && names.length === 1) return collectionNamed(served, names[0]);
  if (typeof collection === 'string' && served.collections.has(collection))
    return collectionNamed(served, collection);
  throw badRequest(`collection: expected one of ${names.join(', ')}, got ${showValue(collection)}`);
}

/** Raises a problem. */
export function textArgument(given: ToolArguments, name: string): string {
  const value = given[name];
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw badRequest(`${name}: expected a text, got ${describeKind(value)}`);
}

/** Raises a problem. */
export function integerArgument(
  given: ToolArguments,
  name: string,
  [least, otherwise, most]: readonly [number, number, number],
): number {
  const value = given[name] ?? otherwise;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  const expected = `expected an integer from ${least} to ${most}`;
  throw badRequest(`${name}: ${expected}, got ${showValue(value)}`);
}
