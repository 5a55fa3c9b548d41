import type { RunOptions } from '../run-options.js';
import { joinArrays } from '../tokens/join.js';
import { type CodeRows, joinCodes } from './codes-file.js';
import type { SegmentEntry } from './manifest.js';
import type { SegmentView } from './open-files.js';
import type { StoredDocument } from './segment-file.js';
import type { Store } from './store.js';
import { mergedFacts, SEGMENT_BYTES, SEGMENT_DOCUMENTS, writeSegment } from './write-segment.js';

/** How much larger each size of segments is than the one before. */
const FAN = 8;

/**
 * Which neighbouring segments become one after an add, [from, to); undefined: none. Of those at the end that are less than half full: when they no longer fit
 * into one, the first of them that do; else, so that adding one document at a time leaves few segments, the last that hold fewer than 8, 64, 512 ...
 * documents each and as many together. So a document is copied once for each of these sizes.
 */
export function segmentsToMerge(entries: readonly Pick<SegmentEntry, 'documents' | 'file'>[]): readonly [number, number] | undefined {
  const isSmall = ({ documents, file }: Pick<SegmentEntry, 'documents' | 'file'>): boolean =>
    documents < SEGMENT_DOCUMENTS / 2 && file.bytes < SEGMENT_BYTES / 2;
  let from = entries.length;
  while (from > 0 && isSmall(entries[from - 1])) from--;
  let [to, bytes, documents] = [from, 0, 0];
  for (; to < entries.length; to++) {
    bytes += entries[to].file.bytes;
    documents += entries[to].documents;
    if (bytes > SEGMENT_BYTES || documents > SEGMENT_DOCUMENTS) return [from, to];
  }
  let first = entries.length;
  for (let limit = FAN; limit <= SEGMENT_DOCUMENTS; limit *= FAN) {
    let together = 0;
    let at = entries.length;
    while (at > from && entries[at - 1].documents < limit) together += entries[--at].documents;
    if (together >= limit) first = at;
  }
  return first < entries.length ? [first, entries.length] : undefined;
}

/** Merges the last segments where there are enough small ones, each time a commit of its own. */
export async function mergeSmall(store: Store, options: RunOptions = {}): Promise<void> {
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
