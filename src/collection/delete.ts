import { invalidArgument } from '../errors.js';
import { checkOptions } from '../known-options.js';
import { rowsOfMask } from '../search/allowed-documents.js';
import { describeKind } from '../value-kind.js';
import type { Snapshot } from './files/snapshot.js';
import { deleteDocuments } from './ingest/delete-documents.js';
import { compileFilter } from './metadata/compile-filter.js';
import type { Filter } from './metadata/filter.js';
import type { WritingCall } from './open-collection.js';

import { filterMask } from './query/filter-mask.js';
import { different, lookUpAll } from './query/look-up.js';

/** Deletes documents by ids or by a filter. Returns how many there were. */
export async function deleteChosen(
  { transaction, signal }: WritingCall,
  which: string | readonly string[] | { filter: Filter },
): Promise<number> {
  return deleteDocuments(
    transaction,
    await chosenDocuments(transaction.snapshot, which, signal),
    signal,
  );
}

async function chosenDocuments(
  snapshot: Snapshot,
  which: string | readonly string[] | { filter: Filter },
  signal: AbortSignal,
): Promise<Int32Array> {
  if (typeof which === 'object' && which !== null && !Array.isArray(which)) {
    checkOptions(which, { filter: true }, 'delete');
    const { filter } = which as { filter: Filter };
    return rowsOfMask(await filterMask(snapshot, compileFilter(filter), signal));
  }
  const ids: readonly string[] = typeof which === 'string' ? [which] : which;
  if (!Array.isArray(ids)) {
    const expected = 'expected an id, an array of ids or { filter }';
    throw invalidArgument('delete', `${expected}, got ${describeKind(which)}`);
  }
  return different(await lookUpAll(snapshot, ids, 'ids', signal), snapshot.documents, signal);
}
