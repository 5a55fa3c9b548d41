import { stepPacer } from '../../pacer.js';
import { encodeDeletions } from '../files/deletions-file.js';
import type { SegmentEntry } from '../files/manifest.js';
import type { Transaction } from '../files/transaction.js';

/** Deletes documents by their numbers in the present state; one commit. Returns how many. */
export async function deleteDocuments(
  transaction: Transaction,
  documents: Int32Array,
  signal?: AbortSignal | undefined,
): Promise<number> {
  if (documents.length === 0) return 0;
  const segments = await withDeleted(transaction, documents, signal);
  await transaction.commit((manifest) => ({ ...manifest, segments }));
  return documents.length;
}

/**
 * The present segments with these documents deleted, whose new files the next commit may refer to;
 * a segment that has nothing left is dropped.
 */
export async function withDeleted(
  transaction: Transaction,
  documents: readonly number[] | Int32Array,
  signal?: AbortSignal | undefined,
): Promise<SegmentEntry[]> {
  const step = stepPacer(signal);
  const { snapshot } = transaction;
  const masks = new Map<SegmentEntry, Uint8Array>();
  for (const document of documents) {
    const { view, at } = snapshot.locate(document);
    const mask =
      masks.get(view.entry) ?? view.deleted?.slice() ?? new Uint8Array(view.segment.documents);
    mask[at] = 1;
    masks.set(view.entry, mask);
    const wait = step();
    if (wait) await wait;
  }
  const out: SegmentEntry[] = [];
  for (const { entry } of snapshot.segments) {
    const mask = masks.get(entry);
    if (!mask) {
      out.push(entry);
      continue;
    }
    const count = mask.reduce((sum, byte) => sum + byte, 0);
    if (count === entry.documents) continue;
    out.push({
      ...entry,
      deleted: {
        file: await transaction.write(await encodeDeletions(transaction.newName('deleted'), mask)),
        count,
      },
    });
  }
  return out;
}
