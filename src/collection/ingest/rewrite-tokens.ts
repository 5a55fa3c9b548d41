import { pacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import { decodedVectors, storedVectors } from '../../tokens/encode-long.js';
import type { TokenCodec } from '../../tokens/encoding.js';
import type { IndexManifest, SegmentEntry } from '../files/manifest.js';
import type { SegmentView } from '../files/open-files.js';
import { withCodec } from '../files/token-codec.js';
import type { Transaction } from '../files/transaction.js';
import { documentCodes } from '../learn/document-codes.js';
import type { DocumentModel } from '../learn/document-model.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { readRanges } from './read-ranges.js';
import { writeSegment } from './write-segment.js';

/** A change of the token vectors of a collection. */
export interface TokenChange {
  /** How the new vectors are stored. */
  codec: TokenCodec;
  /** A document's new vectors of the old ones, tokens x dim; left out: they stay what they are. */
  map?: (vectors: Float32Array) => Promise<Float32Array>;
  /** Entries of the manifest that change with them. */
  manifest?: Partial<Pick<IndexManifest, 'encoder' | 'model'>>;
}

/**
 * Rewrites the token vectors of all documents, and their codes by the model where there is one: new
 * files for every segment, one commit. Until then, and for readers of the old state, everything
 * stays as it is; a second copy of the collection is on the disk meanwhile.
 */
export async function rewriteTokens(
  transaction: Transaction,
  change: TokenChange,
  model: DocumentModel | null,
  { signal, onProgress }: RunOptions,
): Promise<void> {
  const { snapshot } = transaction;
  const segments: SegmentEntry[] = [];
  let done = 0;
  const rewritten = (): void =>
    onProgress?.({ stage: 'rewrite', done: done++, total: snapshot.documents });
  for (const view of snapshot.segments)
    segments.push(await rewriteSegment(transaction, view, change, model, rewritten, signal));
  signal?.throwIfAborted();
  await transaction.commit((manifest) => ({
    ...withCodec(manifest, change.codec),
    ...change.manifest,
    segments,
  }));
}

async function rewriteSegment(
  transaction: Transaction,
  { entry, segment }: SegmentView,
  change: TokenChange,
  model: DocumentModel | null,
  rewritten: () => void,
  signal: AbortSignal | undefined,
): Promise<SegmentEntry> {
  const { codec } = change;
  const pace = pacer(signal);
  const documents: StoredDocument[] = [];
  let error = 0;
  let energy = 0;
  for (const [from, to] of readRanges(segment, entry.file.bytes)) {
    for (const document of await segment.readDocuments(from, to)) {
      await pace();
      rewritten();
      const old = await decodedVectors(document, transaction.snapshot.codec);
      const vectors = change.map ? await change.map(old) : old;
      const { rows, scale, ...loss } = await storedVectors(vectors, codec);
      error += loss.error;
      energy += loss.energy;
      documents.push({ ...document, rows, scale });
    }
  }
  const codes =
    model && (await documentCodes(transaction.device, model, documents, codec, { signal }));
  const { residual, fitted, deleted, keywords } = entry;
  const quantizationError = entry.quantizationError + (energy > 0 ? error / energy : 0);
  const facts = { quantizationError, residual, fitted, keywords };
  return { ...(await writeSegment(transaction, documents, codes, facts, signal, codec)), deleted };
}
