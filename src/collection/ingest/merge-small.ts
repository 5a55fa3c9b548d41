import type { RunOptions } from '../../run-options.js';
import { type SegmentEntry, segmentBytes } from '../files/manifest.js';
import type { Transaction } from '../files/transaction.js';
import { SEGMENT_LIMITS } from '../metadata/segment-limits.js';
import { mergeSegments } from './merge-segments.js';

/** How much larger each size of segments is than the one before. */
const FAN = 8;

type SmallSegment = Pick<SegmentEntry, 'documents' | 'file' | 'keywords'>;

/**
 * Which neighbouring segments become one after an add, [from, to); undefined: none. Of those at the
 * end that are less than half full: when they no longer fit into one, the first of them that do;
 * else, so that adding one document at a time leaves few segments, the last that hold fewer than 8,
 * 64, 512 ... documents each and as many together. So a document is copied once for each of these
 * sizes.
 */
export function segmentsToMerge(
  entries: readonly SmallSegment[],
): readonly [number, number] | undefined {
  const isSmall = (entry: SmallSegment): boolean =>
    entry.documents < SEGMENT_LIMITS.documents / 2 &&
    segmentBytes(entry) < SEGMENT_LIMITS.bytes / 2;
  let from = entries.length;
  while (from > 0 && isSmall(entries[from - 1])) from--;
  let [to, bytes, documents] = [from, 0, 0];
  for (; to < entries.length; to++) {
    bytes += segmentBytes(entries[to]);
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
export async function mergeSmall(
  transaction: Transaction,
  options: RunOptions = {},
): Promise<void> {
  for (;;) {
    const { segments } = transaction.snapshot;
    const range = segmentsToMerge(segments.map(({ entry }) => entry));
    if (!range) return;
    const [from, to] = range;
    const merged = await mergeSegments(transaction, segments.slice(from, to), options);
    await transaction.commit((manifest) => ({
      ...manifest,
      segments: [...manifest.segments.slice(0, from), ...merged, ...manifest.segments.slice(to)],
    }));
  }
}
