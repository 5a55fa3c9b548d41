import { invalidArgument } from '../errors.js';
import { describeKind } from '../value-kind.js';
import { inLanes } from './calls/in-lanes.js';
import type { Snapshot } from './files/snapshot.js';
import { checkId } from './metadata/document.js';
import type { Metadata } from './metadata/metadata.js';

import { lookUp } from './query/look-up.js';

/** A document as it is stored. */
export interface StoredText<M extends Metadata = Metadata> {
  /** The id that it was added with. */
  id: string;
  /** Its text; undefined where it was added without one. */
  text: string | undefined;
  /** Its metadata; undefined where it was added without any. */
  metadata: M | undefined;
}

/** Documents of one answer, all of which are held at once. */
const MOST_DOCUMENTS = 2 ** 18;

/**
 * The document with an id, or for an array those of its ids in its order; undefined: none has it.
 * Rejects with 'invalid-argument' for what is no id, and for more than 262,144 of them.
 */
export async function getDocuments<M extends Metadata>(
  snapshot: Snapshot,
  ids: string | readonly string[],
): Promise<StoredText<M> | undefined | (StoredText<M> | undefined)[]> {
  if (typeof ids === 'string') {
    checkId(ids, 'id');
    return storedText(snapshot, ids, snapshot.find(ids));
  }
  if (!Array.isArray(ids))
    throw invalidArgument('get', `expected an id or an array of ids, got ${describeKind(ids)}`);
  if (ids.length > MOST_DOCUMENTS) {
    const expected = `expected at most ${MOST_DOCUMENTS}: get some at a time`;
    throw invalidArgument('ids', `${ids.length} ids, ${expected}`);
  }
  // the caller may go on with its array
  const asked = ids.slice();
  const documents = await lookUp(snapshot, asked, 'ids');
  return inLanes(documents.length, (i) => storedText<M>(snapshot, asked[i], documents[i]));
}

async function storedText<M extends Metadata>(
  snapshot: Snapshot,
  id: string,
  document: number,
): Promise<StoredText<M> | undefined> {
  if (document < 0) return undefined;
  const { text, metadata } = await snapshot.record(document);
  return { id, text, metadata: metadata as M | undefined };
}
