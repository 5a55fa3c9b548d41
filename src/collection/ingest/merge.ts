import { stepPacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import { joinArrays } from '../../tokens/join.js';
import { type CodeRows, joinCodes } from '../files/codes-file.js';
import type { SegmentEntry } from '../files/manifest.js';
import type { SegmentView } from '../files/open-files.js';
import type { Segment } from '../files/segment.js';
import type { Transaction } from '../files/transaction.js';
import {
  grouped,
  SEGMENT_LIMITS,
  type SegmentLimits,
  storedBytes,
} from '../metadata/segment-limits.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { mergedFacts, type SegmentFacts, writeSegment } from './write-segment.js';

/** How much larger each size of segments is than the one before. */
const FAN = 8;

/**
 * Which neighbouring segments become one after an add, [from, to); undefined: none. Of those at the
 * end that are less than half full: when they no longer fit into one, the first of them that do;
 * else, so that adding one document at a time leaves few segments, the last that hold fewer than 8,
 * 64, 512 ... documents each and as many together. So a document is copied once for each of these
 * sizes.
 */
export function segmentsToMerge(
  entries: readonly Pick<SegmentEntry, 'documents' | 'file'>[],
): readonly [number, number] | undefined {
  const isSmall = ({ documents, file }: Pick<SegmentEntry, 'documents' | 'file'>): boolean =>
    documents < SEGMENT_LIMITS.documents / 2 && file.bytes < SEGMENT_LIMITS.bytes / 2;
  let from = entries.length;
  while (from > 0 && isSmall(entries[from - 1])) from--;
  let [to, bytes, documents] = [from, 0, 0];
  for (; to < entries.length; to++) {
    bytes += entries[to].file.bytes;
    documents += entries[to].documents;
    if (bytes > SEGMENT_LIMITS.bytes || documents > SEGMENT_LIMITS.documents) return [from, to];
  }
  let first = entries.length;
  for (let limit = FAN; limit <= SEGMENT_LIMITS.documents; limit *= FAN) {
    let together = 0;
    let at = entries.length;
    while (at > from && entries[at - 1].documents < limit) together += entries[--at].documents;
    if (together >= limit) first = at;
  }
  return first < entries.length ? [first, entries.length] : undefined;
}

/** Merges the last segments where there are enough small ones, each time a commit of its own. */
export async function mergeSmall(store: Transaction, options: RunOptions = {}): Promise<void> {
  for (;;) {
    const { segments } = store.snapshot;
    const range = segmentsToMerge(segments.map(({ entry }) => entry));
    if (!range) return;
    const [from, to] = range;
    const merged = await mergeSegments(store, segments.slice(from, to), options);
    await store.commit((manifest) => ({
      ...manifest,
      segments: [...manifest.segments.slice(0, from), ...merged, ...manifest.segments.slice(to)],
    }));
  }
}

/**
 * Rewrites all segments that hold deleted documents, are small, or larger than they should be. Each
 * new one is a commit of its own, so that no more room is needed than for one of them beside the
 * old ones, and what was done stays done.
 */
export async function compact(store: Transaction, options: RunOptions = {}): Promise<void> {
  const { segments } = store.snapshot;
  const total = segments.reduce((sum, { entry }) => sum + entry.documents, 0);
  let done = 0;
  for (const group of groupsOf(segments)) {
    const [{ entry: alone }] = group;
    if (
      group.length > 1 ||
      alone.deleted ||
      (alone.documents > 1 && alone.file.bytes > LARGEST_BYTES)
    ) {
      const [first, ...others] = group.map(({ entry }) => entry.file.name);
      const merged = await mergeSegments(store, group, options);
      await store.commit((manifest) => ({
        ...manifest,
        segments: manifest.segments.flatMap((entry) =>
          entry.file.name === first ? merged : others.includes(entry.file.name) ? [] : [entry],
        ),
      }));
    }
    done += group.reduce((sum, { entry }) => sum + entry.documents, 0);
    options.onProgress?.({ stage: 'compact', done, total });
  }
}

/** Neighbouring segments that have room in one. */
function groupsOf(segments: readonly SegmentView[]): SegmentView[][] {
  const groups: SegmentView[][] = [];
  let bytes = Infinity;
  let documents = 0;
  for (const view of segments) {
    const { entry } = view;
    const live = entry.documents - (entry.deleted?.count ?? 0);
    const share = (entry.file.bytes * live) / entry.documents;
    if (bytes + share > SEGMENT_LIMITS.bytes || documents + live > SEGMENT_LIMITS.documents) {
      groups.push([]);
      bytes = documents = 0;
    }
    groups[groups.length - 1].push(view);
    bytes += share;
    documents += live;
  }
  return groups;
}

/**
 * Larger files were written before texts and metadata counted, and become several; what else is
 * merged fits into one by the sizes of its files.
 */
const LARGEST_BYTES = 2 * SEGMENT_LIMITS.bytes;
/** What a document counts as among the steps between two turns of the event loop. */
const STEPS_A_DOCUMENT = 8;
/** Bytes of a file that are read at once. */
const READ_BYTES = 16 * 1024 * 1024;

/**
 * The documents of segments that are not deleted, with their codes, as one segment, or as many as
 * they need; none where all are deleted.
 */
export async function mergeSegments(
  store: Transaction,
  views: readonly SegmentView[],
  { signal }: RunOptions,
  limits: SegmentLimits = limitsOf(views),
): Promise<SegmentEntry[]> {
  const facts = mergedFacts(views.map(({ entry }) => entry));
  const step = stepPacer(signal);
  const written: SegmentEntry[] = [];
  let documents: Sized[] = [];
  let kept: CodeRows[] = [];
  let bytes = 0;
  const write = async (some: readonly Sized[]): Promise<void> => {
    const codes = kept.length > 0 ? joinCodes(kept) : null;
    const rows = Array.from(some, (_, i) => i);
    const own = codes && pick(codes, rows, documents.length);
    written.push(
      await writeSegment(
        store,
        some.map(({ document }) => document),
        own,
        facts,
        signal,
      ),
    );
    const rest = Array.from({ length: documents.length - some.length }, (_, i) => some.length + i);
    kept = codes && rest.length > 0 ? [pick(codes, rest, documents.length)] : [];
    documents = documents.slice(some.length);
    bytes = documents.reduce((sum, { size }) => sum + size, 0);
  };
  for (const { entry, segment, codes, deleted } of views) {
    const all = codes && (await codes.all());
    for (const [from, to] of partsOf(segment, entry.file.bytes)) {
      signal?.throwIfAborted();
      const rows = Array.from({ length: to - from }, (_, i) => i).filter(
        (i) => !deleted?.[from + i],
      );
      if (rows.length === 0) continue;
      const part = await segment.readDocuments(from, to);
      for (const i of rows) {
        const document = part[i];
        const size =
          (await storedBytes(document)) +
          document.rows.byteLength +
          (document.spans?.byteLength ?? 0);
        documents.push({ document, size });
        bytes += size;
        const wait = step(STEPS_A_DOCUMENT);
        if (wait) await wait;
      }
      if (all)
        kept.push(
          pick(
            all,
            rows.map((i) => from + i),
            segment.documents,
          ),
        );
      while (bytes > limits.bytes && documents.length > 1) {
        const [first, ...others] = grouped(documents, ({ size }) => size, limits);
        if (others.length === 0) break;
        await write(first);
      }
    }
  }
  if (documents.length > 0) await write(documents);
  return written.length > 1 ? shared(written, facts) : written;
}

function limitsOf(views: readonly SegmentView[]): SegmentLimits {
  const bytes = views.reduce((sum, { entry }) => sum + entry.file.bytes, 0);
  return bytes > LARGEST_BYTES ? SEGMENT_LIMITS : { ...SEGMENT_LIMITS, bytes: Infinity };
}

/** A document and the bytes that it takes. */
interface Sized {
  document: StoredDocument;
  size: number;
}

/** Ranges of a segment's documents of which each is read at once. */
export function* partsOf({ documents }: Segment, bytes: number): Generator<[number, number]> {
  const step = Math.max(1, Math.floor((documents * READ_BYTES) / Math.max(1, bytes)));
  for (let from = 0; from < documents; from += step) yield [from, Math.min(documents, from + step)];
}

/** What was counted of all, shared out. */
function shared(
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

function pick(
  { prefix, full, factors, scales }: CodeRows,
  rows: readonly number[],
  count: number,
): CodeRows {
  if (rows.length === count) return { prefix, full, factors, scales };
  const some = (values: Int8Array): Int8Array => {
    const width = values.length / count;
    return joinArrays(
      rows.map((row) => values.subarray(row * width, (row + 1) * width)),
      (length) => new Int8Array(length),
    );
  };
  const floats = (values: Float32Array): Float32Array =>
    Float32Array.from(rows, (row) => values[row]);
  return {
    prefix: some(prefix),
    full: some(full),
    factors: floats(factors),
    scales: scales && floats(scales),
  };
}
