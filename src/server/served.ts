import { collectionOf, Index } from '../collection/index.js';
import type { Encoder } from '../encoder/encoder.js';
import { invalidArgument } from '../errors.js';
import { describeKind, showValue } from '../value-kind.js';
import { Gate } from './gate.js';
import type { ResolvedHandlerOptions } from './handler-options.js';
import type { Jobs } from './jobs.js';
import type { Metrics } from './metrics.js';
import { noSuch } from './problem.js';
import { SharedSearches } from './shared-searches.js';

/** A collection under its name. */
export interface ServedCollection {
  readonly name: string;
  readonly index: Index;
  /** Single searches, which share a batch where they wait together. */
  readonly searches: SharedSearches;
  /** What changes it, one after the other, so that no more than some wait. */
  readonly writes: Gate;
}

/** Collections, and what is needed to search them for others. */
export interface ServedCollections {
  readonly collections: ReadonlyMap<string, ServedCollection>;
  /** What storages call themselves, and the collections' names. */
  readonly storages: ReadonlyMap<string, string>;
  /** What computes. */
  readonly work: Gate;
}

/** All that routes share. */
export interface Served extends ServedCollections {
  readonly options: ResolvedHandlerOptions;
  readonly jobs: Jobs;
  readonly metrics: Metrics;
  /** Whether `close` was called. */
  readonly isClosing: () => boolean;
}

/** What a collection may be called: part of an address that no client changes. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Calls that wait to change one collection. */
const MOST_WRITES = 16;

/** Raises 'invalid-argument'. */
export function servedCollections(
  indexes: Readonly<Record<string, Index>>,
  work: Gate,
): Map<string, ServedCollection> {
  if (typeof indexes !== 'object' || indexes === null || indexes instanceof Index)
    throw invalidArgument('indexes', `expected { name: index }, got ${describeKind(indexes)}`);
  const collections = new Map<string, ServedCollection>();
  for (const [name, index] of Object.entries(indexes)) {
    if (!NAME.test(name))
      throw invalidArgument(
        'indexes',
        `expected names of letters, digits, dots and dashes, got ${showValue(name)}`,
      );
    if (!(index instanceof Index))
      throw invalidArgument(`indexes.${name}`, `expected an Index, got ${describeKind(index)}`);
    const searches = new SharedSearches(index, work);
    collections.set(name, { name, index, searches, writes: new Gate(1, MOST_WRITES) });
  }
  return collections;
}

/** Raises a problem (404). */
export function collectionNamed(
  { collections }: ServedCollections,
  name: string,
): ServedCollection {
  const collection = collections.get(name);
  if (!collection) throw noSuch('no collection of this name');
  return collection;
}

/** The encoder of an index; undefined where it has none. */
export function encoderOf(index: Index): Encoder | undefined {
  return collectionOf(index).encoder;
}

/** What storages call themselves, and in place of it the collections' names. */
export function storageNames(
  collections: ReadonlyMap<string, ServedCollection>,
): Map<string, string> {
  return new Map(
    [...collections].map(([name, { index }]) => [collectionOf(index).store.storage.name, name]),
  );
}
