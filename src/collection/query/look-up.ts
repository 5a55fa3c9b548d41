import { stepPacer } from '../../pacer.js';
import type { Snapshot } from '../files/snapshot.js';
import { checkId } from '../metadata/document.js';

/**
 * What an id counts as among the steps between two turns of the event loop, and in each segment
 * that it is looked for in.
 */
const STEPS_AN_ID = 4;

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

/** Those of them that are there, each once, ascending. */
export function different(documents: Int32Array): Int32Array {
  const sorted = documents.filter((document) => document >= 0).sort();
  let kept = 0;
  for (let i = 0; i < sorted.length; i++)
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[kept++] = sorted[i];
  return sorted.slice(0, kept);
}
