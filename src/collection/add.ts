import { withCommitted } from './calls/with-committed.js';
import { fitCollection } from './fit.js';
import { addDocuments } from './ingest/add-documents.js';
import type { Documents } from './ingest/read-documents.js';
import { fitAfterAdd, fitIsDue, isPutOff } from './learn/automatic-fit.js';
import type { WritingCall } from './open-collection.js';
import { checkFlag } from './options/check-options.js';
import type { AddOptions } from './options/options.js';
import type { Added } from './options/results.js';

/** Adds documents, and fits the collection when there are enough of them for the first time. */
export async function addAndFit(
  call: WritingCall,
  documents: Documents,
  options: AddOptions,
): Promise<Added> {
  checkFlag(options.fit, 'fit');
  const { transaction, models } = call;
  const run = { ...options, ...call, loadModel: () => models.current() };
  const added = await addDocuments(transaction, documents, run);
  if (options.fit === false) return added;
  try {
    const unfit = await fitIfDue(call);
    return unfit === undefined ? added : { ...added, unfit };
  } catch (error) {
    throw withCommitted(error, added.added + added.replaced, call.signal);
  }
}

/** Fits the collection when there are enough documents for the first time; why not, if so. */
export async function fitIfDue(call: WritingCall): Promise<string | undefined> {
  const { transaction } = call;
  const { manifest, live } = transaction.snapshot;
  if (!fitIsDue(manifest, live) || isPutOff(transaction, live)) return undefined;
  const encoder = await call.availableEncoder();
  return fitAfterAdd(transaction, () => fitCollection({ ...call, encoder }, { epochs: 0 }));
}
