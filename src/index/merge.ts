import type { RunOptions } from '../run-options.js';
import { joinArrays } from '../tokens/join.js';
import { type CodeRows, joinCodes } from './codes-file.js';
import type { SegmentEntry } from './manifest.js';
import type { SegmentView } from './open-files.js';
import type { StoredDocument } from './segment-file.js';
import type { Store } from './store.js';
import { mergedFacts, SEGMENT_BYTES, SEGMENT_DOCUMENTS, writeSegment } from './write-segment.js';

/** Segments of a size that become one of the next. */
const FAN = 8;

/**
 * Which of the last segments become one after an add, so that adding one document at a time leaves few segments: the last eight or more that hold fewer
 * than 8, 64, 512 ... documents each. Returns how many of the last are merged; 0: none.
 */
export function segmentsToMerge(entries: readonly Pick<SegmentEntry, 'documents' | 'file'>[]): number {
  let merge = 0;
  for (let limit = FAN; limit <= SEGMENT_DOCUMENTS; limit *= FAN) {
    let run = 0;
    let bytes = 0;
    for (let i = entries.length - 1; i >= 0 && entries[i].documents < limit; i--) {
      bytes += entries[i].file.bytes;
      run++;
    }
    if (run >= FAN && bytes <= SEGMENT_BYTES) merge = run;
  }
  return merge;
}

/** Merges the last segments where there are enough small ones; a commit of its own. */
export async function mergeSmall(store: Store, options: RunOptions = {}): Promise<void> {
  const { segments } = store.snapshot;
  const count = segmentsToMerge(segments.map(({ entry }) => entry));
  if (count === 0) return;
  const from = segments.length - count;
  const merged = await mergeSegments(store, segments.slice(from), options);
  await store.commit((manifest) => ({ ...manifest, segments: [...manifest.segments.slice(0, from), ...merged] }));
}

/**
 * Rewrites all segments that hold deleted documents or are small. Each new one is a commit of its own, so that no more room is needed than for one of them
 * beside the old ones, and what was done stays done.
 */
export async function compact(store: Store, options: RunOptions = {}): Promise<void> {
  const { segments } = store.snapshot;
  const total = segments.reduce((sum, { entry }) => sum + entry.documents, 0);
  let done = 0;
  for (const group of groupsOf(segments)) {
    if (group.length > 1 || group[0].entry.deleted) {
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
    if (bytes + share > SEGMENT_BYTES || documents + live > SEGMENT_DOCUMENTS) {
      groups.push([]);
      bytes = documents = 0;
    }
    groups[groups.length - 1].push(view);
    bytes += share;
    documents += live;
  }
  return groups;
}

/** The documents of segments that are not deleted, with their codes, as one segment; none where all are deleted. */
async function mergeSegments(store: Store, views: readonly SegmentView[], { signal }: RunOptions): Promise<SegmentEntry[]> {
  const documents: StoredDocument[] = [];
  const kept: CodeRows[] = [];
  for (const { segment, codes, deleted } of views) {
    signal?.throwIfAborted();
    const all = await segment.all();
    const rows = all.map((_, i) => i).filter((i) => !deleted?.[i]);
    documents.push(...rows.map((i) => all[i]));
    if (codes) kept.push(pick(await codes.all(), rows, all.length));
  }
  if (documents.length === 0) return [];
  return [await writeSegment(store, documents, kept.length > 0 ? joinCodes(kept) : null, mergedFacts(views.map(({ entry }) => entry)))];
}

function pick({ prefix, codes, factors }: CodeRows, rows: readonly number[], count: number): CodeRows {
  if (rows.length === count) return { prefix, codes, factors };
  const some = (values: Int8Array): Int8Array => {
    const width = values.length / count;
    return joinArrays(
      rows.map((row) => values.subarray(row * width, (row + 1) * width)),
      (length) => new Int8Array(length),
    );
  };
  return { prefix: some(prefix), codes: some(codes), factors: Float32Array.from(rows, (row) => factors[row]) };
}
