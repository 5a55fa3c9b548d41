import { invalidArgument } from '../errors.js';
import { stepPacer } from '../pacer.js';
import { describeKind } from '../value-kind.js';
import { inLanes } from './calls/in-lanes.js';
import type { Snapshot } from './files/snapshot.js';
import { checkId } from './metadata/document.js';
import type { Metadata } from './metadata/metadata.js';
import type { Passage } from './options/results.js';
import { lookUp } from './query/look-up.js';
import { joinedText, passageOf } from './query/passage.js';

/** A document as it is stored. */
export interface StoredText<M extends Metadata = Metadata> {
  /** The id that it was added with. */
  id: string;
  /** Its text; undefined where it was added without one. */
  text: string | undefined;
  /** Its metadata; undefined where it was added without any. */
  metadata: M | undefined;
  /**
   * Of a document that was cut: its passages, in order. Its text is put together of them, undefined
   * where that cannot be: token vectors came without one, a passage was deleted, or a function made
   * other texts.
   */
  passages?: Passage[] | undefined;
  /** Of a passage: which it is. */
  passage?: Passage | undefined;
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
  const { passages: cut } = snapshot.manifest;
  const source = cut ? snapshot.findSource(id) : [];
  if (source.length > 0) return joined<M>(snapshot, id, source);
  if (document < 0) return undefined;
  const record = await snapshot.record(document);
  const passage = passageOf(id, record);
  const metadata = record.metadata as M | undefined;
  return { id, text: record.text, metadata, ...(passage && { passage }) };
}

/** A document of its passages. */
async function joined<M extends Metadata>(
  snapshot: Snapshot,
  id: string,
  documents: readonly number[],
): Promise<StoredText<M>> {
  const records = await inLanes(documents.length, async (i) => {
    const record = await snapshot.record(documents[i]);
    return { ...record, place: passageOf(snapshot.id(documents[i]), record) };
  });
  const metadata = records[0].metadata as M | undefined;
  const step = stepPacer();
  const passages: Passage[] = [];
  for (const { place } of records) {
    if (place) passages.push(place);
    const wait = step(1 / 4);
    if (wait) await wait;
  }
  return { id, text: await joinedText(records, step), metadata, passages };
}
