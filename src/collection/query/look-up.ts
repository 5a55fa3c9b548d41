import { STEPS_A_TURN, stepPacer } from '../../pacer.js';
import { rowsOfMask } from '../../search/allowed-documents.js';
import { type Snapshot, STEPS_AN_ID } from '../files/snapshot.js';
import { checkId } from '../metadata/document.js';

/** Documents that are sorted in one go. */
const SORTED = 1 << 16;

/**
 * Numbers of the documents that have these ids, in the order of the ids, -1 where there is none;
 * `where` names the list in errors. All ids are checked first. Gives way to other work every
 * thousand ids. Rejects with 'invalid-argument' for what is no id, or the signal's reason.
 */
export async function lookUp(
  snapshot: Snapshot,
  ids: readonly unknown[],
  where: string,
  signal?: AbortSignal | undefined,
): Promise<Int32Array> {
  const step = stepPacer(signal);
  for (let i = 0; i < ids.length; i++) {
    checkId(ids[i], `${where}[${i}]`);
    const wait = step();
    if (wait) await wait;
  }
  const steps = STEPS_AN_ID + snapshot.segments.length;
  const documents = new Int32Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    documents[i] = snapshot.find(ids[i] as string);
    const wait = step(steps);
    if (wait) await wait;
  }
  return documents;
}

/**
 * Numbers of what the ids name, one after the other: the passages of documents, in a collection
 * that is cut, and where no document has an id the passage that has it. Checks and rejects as
 * `lookUp` does.
 */
export async function lookUpAll(
  snapshot: Snapshot,
  ids: readonly unknown[],
  where: string,
  signal?: AbortSignal | undefined,
): Promise<Int32Array> {
  const single = await lookUp(snapshot, ids, where, signal);
  if (!snapshot.manifest.passages) return single;
  const step = stepPacer(signal);
  const documents: number[] = [];
  for (const [i, document] of single.entries()) {
    const passages = snapshot.findSource(ids[i] as string);
    for (const passage of passages.length > 0 ? passages : [document]) documents.push(passage);
    const wait = step(STEPS_AN_ID + snapshot.segments.length + passages.length);
    if (wait) await wait;
  }
  return Int32Array.from(documents);
}

/**
 * Those of them that are there, each once, ascending; `count` is more than any of them. Gives way
 * to other work every 65,536 of them. Rejects with the signal's reason.
 */
export async function different(
  documents: Int32Array,
  count: number,
  signal?: AbortSignal | undefined,
): Promise<Int32Array> {
  if (documents.length <= SORTED) return distinct(documents.filter((document) => document >= 0));
  const step = stepPacer(signal);
  const wanted = new Uint8Array(count);
  for (let from = 0; from < documents.length; from += SORTED) {
    for (const document of documents.subarray(from, from + SORTED))
      if (document >= 0) wanted[document] = 1;
    await step(STEPS_A_TURN);
  }
  return rowsOfMask(wanted);
}

/** Each once, ascending. */
function distinct(documents: Int32Array): Int32Array {
  const sorted = documents.sort();
  return sorted.filter((document, i) => i === 0 || document !== sorted[i - 1]);
}
