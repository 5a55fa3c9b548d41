import { segmentBytes } from '../files/manifest.js';
import type { SegmentView } from '../files/open-files.js';
import type { Transaction } from '../files/transaction.js';
import { SEGMENT_LIMITS } from '../metadata/segment-limits.js';
import type { CompactOptions } from '../options/options.js';
import { LARGEST_BYTES, mergeSegments } from './merge-segments.js';
import { addKeywords, wantKeywords } from './write-keywords.js';

/**
 * Rewrites all segments that hold deleted documents, are small, or larger than they should be. Each
 * new one is a commit of its own, so that no more room is needed than for one of them beside the
 * old ones, and what was done stays done. Those that nobody has looked for keywords in get them.
 */
export async function compact(
  transaction: Transaction,
  options: CompactOptions = {},
): Promise<void> {
  if (options.keywords !== undefined) await wantKeywords(transaction, options.keywords);
  const { segments } = transaction.snapshot;
  const total = segments.reduce((sum, { entry }) => sum + entry.documents, 0);
  let done = 0;
  for (const group of groupsOf(segments)) {
    if (isWorthRewriting(group)) {
      const [first, ...others] = group.map(({ entry }) => entry.file.name);
      const merged = await mergeSegments(transaction, group, options);
      await transaction.commit((manifest) => ({
        ...manifest,
        segments: manifest.segments.flatMap((entry) =>
          entry.file.name === first ? merged : others.includes(entry.file.name) ? [] : [entry],
        ),
      }));
    } else await addKeywords(transaction, group[0], options.signal);
    done += group.reduce((sum, { entry }) => sum + entry.documents, 0);
    options.onProgress?.({ stage: 'compact', done, total });
  }
}

function isWorthRewriting([{ entry }, ...others]: readonly SegmentView[]): boolean {
  const tooLarge = entry.documents > 1 && entry.file.bytes > LARGEST_BYTES;
  return others.length > 0 || entry.deleted !== null || tooLarge;
}

/** Neighbouring segments that have room in one. */
function groupsOf(segments: readonly SegmentView[]): SegmentView[][] {
  const groups: SegmentView[][] = [];
  let bytes = Infinity;
  let documents = 0;
  for (const view of segments) {
    const { entry } = view;
    const live = entry.documents - (entry.deleted?.count ?? 0);
    const share = (segmentBytes(entry) * live) / entry.documents;
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
