import type { Metadata } from '../metadata/metadata.js';
import type { KnownRoot } from './known-root.js';
import type { MirrorDocument } from './mirror-source.js';

/** What becomes of a document of the source. */
export interface Change<M extends Metadata = Metadata> {
  readonly kind: 'added' | 'updated' | 'renamed';
  /** In the collection. */
  readonly id: string;
  /** What is kept of its hashes. */
  readonly content: string;
  readonly rest: string;
  /** The document that has its text already, which is not encoded again; undefined: none. */
  readonly from: string | undefined;
  /** Reads it; undefined: its text comes with the source. */
  readonly read: MirrorDocument<M>['read'];
}

/** What is to be done to bring a collection in step. */
export interface Plan<M extends Metadata = Metadata> {
  readonly root: KnownRoot;
  /** In the order of the source. */
  readonly changes: readonly Change<M>[];
  /** Ids in the collection of what is deleted. */
  readonly gone: readonly string[];
  /** How many are recorded of the root. */
  readonly among: number;
  /** How many are gone and stay, since nothing is to be deleted. */
  readonly stale: number;
  readonly unchanged: number;
  /** What the source left out or could not read, and what the collection does not take. */
  readonly skipped: number;
}

/** A change whose text is encoded after all: nothing has it, or nothing has it any more. */
export function encodedAnew<M extends Metadata>(change: Change<M>): Change<M> {
  const kind = change.kind === 'renamed' ? 'added' : change.kind;
  return { ...change, kind, from: undefined };
}
