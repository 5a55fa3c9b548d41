import type { Snapshot } from '../files/snapshot.js';
import type { Transaction } from '../files/transaction.js';
import { storedPaths } from '../ingest/admission.js';
import { withDeleted } from '../ingest/delete-documents.js';
import { mergeSmall } from '../ingest/merge-small.js';
import { writeNewSegment } from '../ingest/write-segment.js';
import type { DocumentModel } from '../learn/document-model.js';
import { checkMetadata, type Metadata } from '../metadata/metadata.js';
import { notePaths } from '../metadata/metadata-paths.js';
import type { MirrorRecord } from '../metadata/mirror-record.js';
import { passageId, passageNumberOf } from '../metadata/passage-record.js';
import { grouped, SEGMENT_LIMITS } from '../metadata/segment-limits.js';
import type { StoredDocument } from '../metadata/stored-document.js';

/** A document that gets another id, other metadata, or both. */
export interface Restated {
  /** Its id before and now. */
  readonly from: string;
  readonly id: string;
  readonly metadata: Metadata | undefined;
  readonly mirror: MirrorRecord;
}

/**
 * Writes documents anew with what is new of them, their token vectors as they are stored; one
 * commit. Returns how many parts they are stored as. Rejects with 'invalid-argument' for metadata
 * that are none.
 */
export async function restate(
  transaction: Transaction,
  documents: readonly Restated[],
  model: DocumentModel | null,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { snapshot } = transaction;
  const paths = await storedPaths(snapshot, signal);
  const old: number[] = [];
  const parts: StoredDocument[] = [];
  for (const { from, id, metadata, mirror } of documents) {
    const where = `document ${JSON.stringify(id)}`;
    const checked = metadata && checkMetadata(metadata, `${where}.metadata`);
    if (checked) notePaths(checked, paths, where);
    const numbers = snapshot.findSource(from);
    for (const number of numbers) old.push(number);
    for (const stored of await readParts(snapshot, numbers)) {
      const own = stored.passage ? passageId(id, passageNumberOf(stored.id)) : id;
      parts.push({ ...stored, id: own, metadata: checked, mirror });
    }
  }
  const segments = await withDeleted(transaction, old, signal);
  const codec = transaction.snapshot.codec;
  const size = ({ rows, spans, text = '' }: StoredDocument): number =>
    rows.byteLength + (spans?.byteLength ?? 0) + 2 * text.length;
  for (const group of grouped(parts, size, SEGMENT_LIMITS))
    segments.push(
      await writeNewSegment(transaction, group, model, codec, errorOf(snapshot), { signal }),
    );
  signal?.throwIfAborted();
  await transaction.commit((manifest) => ({ ...manifest, segments }));
  await mergeSmall(transaction, { signal }).catch(() => transaction.discard());
  return parts.length;
}

/** Of documents of one source, by ascending numbers. */
async function readParts(
  snapshot: Snapshot,
  numbers: readonly number[],
): Promise<StoredDocument[]> {
  const parts: StoredDocument[] = [];
  for (let i = 0; i < numbers.length; ) {
    const { view, at } = snapshot.locate(numbers[i]);
    let count = 1;
    const follows = (): boolean =>
      numbers[i + count] === numbers[i] + count && at + count < view.segment.documents;
    while (follows()) count++;
    for (const part of await view.segment.readDocuments(at, at + count)) parts.push(part);
    i += count;
  }
  return parts;
}

/** The mean error of what is stored, by tokens. */
function errorOf({ manifest: { segments } }: Snapshot): number {
  const tokens = segments.reduce((sum, entry) => sum + entry.tokens, 0);
  const error = segments.reduce((sum, entry) => sum + entry.quantizationError * entry.tokens, 0);
  return error / Math.max(1, tokens);
}
