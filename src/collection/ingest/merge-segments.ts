import { stepPacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import { joinArrays } from '../../tokens/join.js';
import { type CodeRows, joinCodes } from '../files/codes-file.js';
import type { SegmentEntry } from '../files/manifest.js';
import type { SegmentView } from '../files/open-files.js';
import type { Transaction } from '../files/transaction.js';
import {
  grouped,
  keywordBytes,
  SEGMENT_LIMITS,
  type SegmentLimits,
  storedBytes,
} from '../metadata/segment-limits.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { readRanges } from './read-ranges.js';
import { mergedFacts, type SegmentFacts, writeSegment } from './write-segment.js';

/**
 * Larger files were written before texts and metadata counted, and become several; what else is
 * merged fits into one by the sizes of its files.
 */
export const LARGEST_BYTES: number = 2 * SEGMENT_LIMITS.bytes;
/** Steps of a document among those between two turns of the event loop. */
const STEPS_A_DOCUMENT = 8;

/**
 * The documents of segments that are not deleted, with their codes, as one segment, or as many as
 * they need; none where all are deleted.
 */
export async function mergeSegments(
  transaction: Transaction,
  views: readonly SegmentView[],
  { signal }: RunOptions,
  limits: SegmentLimits = limitsOf(views),
): Promise<SegmentEntry[]> {
  const facts = mergedFacts(views.map(({ entry }) => entry));
  const merge = new SegmentMerge(transaction, facts, limits, signal);
  for (const view of views) {
    const codes = view.codes && (await view.codes.all());
    for (const [from, to] of readRanges(view.segment, view.entry.file.bytes)) {
      signal?.throwIfAborted();
      await merge.add(view, from, to, codes);
    }
  }
  const written = await merge.finish();
  return written.length > 1 ? shareFacts(written, facts) : written;
}

function limitsOf(views: readonly SegmentView[]): SegmentLimits {
  const bytes = views.reduce((sum, { entry }) => sum + entry.file.bytes, 0);
  return bytes > LARGEST_BYTES ? SEGMENT_LIMITS : { ...SEGMENT_LIMITS, bytes: Infinity };
}

/** A document and the bytes that it takes. */
interface SizedDocument {
  readonly document: StoredDocument;
  readonly size: number;
}

/** Documents and codes on their way into new segments. */
class SegmentMerge {
  readonly #transaction: Transaction;
  readonly #facts: SegmentFacts;
  readonly #limits: SegmentLimits;
  readonly #signal: AbortSignal | undefined;
  readonly #step: (steps?: number) => Promise<void> | undefined;
  readonly #written: SegmentEntry[] = [];
  #documents: SizedDocument[] = [];
  #codes: CodeRows[] = [];
  #bytes = 0;

  constructor(
    transaction: Transaction,
    facts: SegmentFacts,
    limits: SegmentLimits,
    signal: AbortSignal | undefined,
  ) {
    this.#transaction = transaction;
    this.#facts = facts;
    this.#limits = limits;
    this.#signal = signal;
    this.#step = stepPacer(signal);
  }

  /** Takes documents of a segment that are not deleted; writes segments that are full. */
  async add(
    { segment, deleted }: SegmentView,
    from: number,
    to: number,
    codes: CodeRows | null,
  ): Promise<void> {
    const rows = Array.from({ length: to - from }, (_, i) => i).filter((i) => !deleted?.[from + i]);
    if (rows.length === 0) return;
    const documents = await segment.readDocuments(from, to);
    for (const row of rows) {
      await this.#addDocument(documents[row]);
      const wait = this.#step(STEPS_A_DOCUMENT);
      if (wait) await wait;
    }
    if (codes) {
      const own = rows.map((row) => from + row);
      this.#codes.push(pickCodes(codes, own, segment.documents));
    }
    while (this.#bytes > this.#limits.bytes && this.#documents.length > 1) {
      const [first, ...others] = grouped(this.#documents, ({ size }) => size, this.#limits);
      if (others.length === 0) break;
      await this.#write(first.length);
    }
  }

  /** The segments, with what is left as the last one. */
  async finish(): Promise<SegmentEntry[]> {
    if (this.#documents.length > 0) await this.#write(this.#documents.length);
    return this.#written;
  }

  async #addDocument(document: StoredDocument): Promise<void> {
    const { rows, spans } = document;
    const vectors = rows.byteLength + (spans?.byteLength ?? 0);
    const size = (await storedBytes(document)) + keywordBytes(document) + vectors;
    this.#documents.push({ document, size });
    this.#bytes += size;
  }

  /** Writes the first documents as a segment. */
  async #write(count: number): Promise<void> {
    const total = this.#documents.length;
    const all = this.#codes.length > 0 ? joinCodes(this.#codes) : null;
    const documents = this.#documents.slice(0, count).map(({ document }) => document);
    const codes = all && pickCodes(all, range(0, count), total);
    this.#written.push(
      await writeSegment(this.#transaction, documents, codes, this.#facts, this.#signal),
    );
    this.#codes = all && total > count ? [pickCodes(all, range(count, total), total)] : [];
    this.#documents = this.#documents.slice(count);
    this.#bytes = this.#documents.reduce((sum, { size }) => sum + size, 0);
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Codes of some of `count` documents. */
function pickCodes(
  { prefix, full, scales, lengths }: CodeRows,
  rows: readonly number[],
  count: number,
): CodeRows {
  if (rows.length === count) return { prefix, full, scales, lengths };
  const bytes = (values: Int8Array): Int8Array => {
    const width = values.length / count;
    return joinArrays(
      rows.map((row) => values.subarray(row * width, (row + 1) * width)),
      (length) => new Int8Array(length),
    );
  };
  const floats = (values: Float32Array): Float32Array =>
    Float32Array.from(rows, (row) => values[row]);
  return {
    prefix: bytes(prefix),
    full: bytes(full),
    scales: floats(scales),
    lengths: lengths && floats(lengths),
  };
}

/** Counts of all documents, shared out by the sizes of the segments. */
function shareFacts(
  entries: readonly SegmentEntry[],
  { fitted, residual }: SegmentFacts,
): SegmentEntry[] {
  const total = entries.reduce((sum, { documents }) => sum + documents, 0);
  return entries.map((entry) => {
    const share = entry.documents / total;
    const counted = residual && { ...residual, documents: Math.floor(residual.documents * share) };
    return { ...entry, fitted: Math.floor(fitted * share), residual: counted };
  });
}
