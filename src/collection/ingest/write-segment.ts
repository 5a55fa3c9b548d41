import type { RunOptions } from '../../run-options.js';
import { rowLength, type TokenCodec, type TokenLayout } from '../../tokens/encoding.js';
import { type CodeRows, encodeCodes } from '../files/codes-file.js';
import type { SegmentEntry } from '../files/manifest.js';
import { encodeSegment } from '../files/segment-file.js';
import type { Transaction } from '../files/transaction.js';
import { documentCodes } from '../learn/document-codes.js';
import type { DocumentModel } from '../learn/document-model.js';
import { mergeResiduals } from '../learn/residual.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { writeKeywords } from './write-keywords.js';

/**
 * Facts in a segment's manifest entry beside its files and counts; its keywords where its texts are
 * those of another one, which has them.
 */
export type SegmentFacts = Pick<
  SegmentEntry,
  'quantizationError' | 'residual' | 'fitted' | 'keywords'
>;

/**
 * Writes documents, and their codes where there are some, as a segment that the next commit may
 * refer to.
 */
export async function writeSegment(
  transaction: Transaction,
  documents: readonly StoredDocument[],
  codes: CodeRows | null,
  facts: SegmentFacts,
  signal?: AbortSignal | undefined,
  layout: TokenLayout = transaction.snapshot.codec,
): Promise<SegmentEntry> {
  const file = await transaction.write(
    await encodeSegment(transaction.newName('segment'), documents, layout, undefined, signal),
  );
  const width = rowLength(layout);
  const tokens = documents.reduce((sum, { rows }) => sum + rows.length / width, 0);
  const keywords =
    facts.keywords !== undefined
      ? facts.keywords
      : await writeKeywords(transaction, documents, signal);
  return {
    file,
    documents: documents.length,
    tokens,
    codes:
      codes && (await transaction.write(await encodeCodes(transaction.newName('codes'), codes))),
    deleted: null,
    ...facts,
    ...(keywords !== undefined && { keywords }),
  };
}

/** Writes new documents as a segment; the model, where there is one, gives them codes. */
export async function writeNewSegment(
  transaction: Transaction,
  documents: readonly StoredDocument[],
  model: DocumentModel | null,
  codec: TokenCodec,
  quantizationError: number,
  options: RunOptions,
): Promise<SegmentEntry> {
  const found =
    model && (await documentCodes(transaction.device, model, documents, codec, options));
  return writeSegment(
    transaction,
    documents,
    found,
    { quantizationError, residual: found?.residual ?? null, fitted: 0 },
    options.signal,
  );
}

/** Facts of several segments that become one. */
export function mergedFacts(entries: readonly SegmentEntry[]): SegmentFacts {
  const tokens = entries.reduce((sum, entry) => sum + entry.tokens, 0);
  const residuals = entries.flatMap(({ residual }) => residual ?? []);
  return {
    quantizationError:
      entries.reduce((sum, entry) => sum + entry.quantizationError * entry.tokens, 0) /
      Math.max(1, tokens),
    residual: residuals.length === 0 ? null : residuals.reduce(mergeResiduals),
    fitted: entries.reduce((sum, entry) => sum + entry.fitted, 0),
  };
}
