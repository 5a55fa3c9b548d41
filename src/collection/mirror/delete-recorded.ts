import { stepPacer } from '../../pacer.js';
import { STEPS_AN_ID } from '../files/snapshot.js';
import type { Transaction } from '../files/transaction.js';
import { deleteDocuments } from '../ingest/delete-documents.js';
import { readRecorded } from './recorded.js';

/** Deletes documents, those of a root alone; one commit. Returns how many there were. */
export async function deleteRecorded(
  { transaction, signal }: { transaction: Transaction; signal: AbortSignal },
  root: number,
  ids: readonly string[],
): Promise<number> {
  const { snapshot } = transaction;
  const recorded = await readRecorded(snapshot, signal);
  const numbers: number[] = [];
  let documents = 0;
  const step = stepPacer(signal);
  for (const id of ids) {
    const wait = step(STEPS_AN_ID + snapshot.segments.length);
    if (wait) await wait;
    const stored = snapshot.findSource(id);
    if (stored.length === 0 || recorded.of(stored[0])?.root !== root) continue;
    for (const number of stored) numbers.push(number);
    documents++;
  }
  await deleteDocuments(transaction, Int32Array.from(numbers), signal);
  return documents;
}
