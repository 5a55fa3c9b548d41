import { type AllowedDocuments, allowedDocuments } from '../../search/allowed-documents.js';
import type { Snapshot } from '../files/snapshot.js';
import type { CompiledFilter } from '../metadata/compile-filter.js';

/** A byte for each document: 1 where it passes a filter and is not deleted. */
export async function filterMask(
  snapshot: Snapshot,
  filter: CompiledFilter,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const mask = new Uint8Array(snapshot.documents);
  for (const [i, { segment, deleted }] of snapshot.segments.entries()) {
    signal?.throwIfAborted();
    const found = await filter.evaluate(segment.columns, signal);
    const at = snapshot.firsts[i];
    mask.set(found, at);
    if (deleted)
      for (let row = 0; row < deleted.length; row++) if (deleted[row]) mask[at + row] = 0;
  }
  return mask;
}

/** The documents that are not deleted and pass a filter, where there is one. */
export async function allowedIn(
  snapshot: Snapshot,
  filter: CompiledFilter | null,
  signal?: AbortSignal | undefined,
): Promise<AllowedDocuments> {
  const mask = filter ? await filterMask(snapshot, filter, signal) : snapshot.allowed;
  return allowedDocuments(snapshot.documents, mask, (id) => snapshot.find(id));
}
