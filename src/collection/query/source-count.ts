import type { SegmentView } from '../files/open-files.js';
import type { Snapshot } from '../files/snapshot.js';
import { sourceOf } from './passage.js';

/** Documents that are not deleted, where these are cut into passages, those. */
export function sourceCount(snapshot: Snapshot): number {
  if (!snapshot.manifest.passages) return snapshot.live;
  let count = 0;
  /** The last one of the segment before, which may go on in the next. */
  let before: string | undefined;
  for (const [i, { segment, deleted }] of snapshot.segments.entries()) {
    const [first, last] = liveEnds({ segment, deleted });
    if (first < 0) continue;
    count += segment.sources ? segment.sources.count(deleted) : liveIn({ segment, deleted });
    if (sourceOf(snapshot, snapshot.firsts[i] + first) === before) count--;
    before = sourceOf(snapshot, snapshot.firsts[i] + last);
  }
  return count;
}

type Rows = Pick<SegmentView, 'segment' | 'deleted'>;

/** The first and the last row that is not deleted; -1: all are. */
function liveEnds({ segment, deleted }: Rows): [first: number, last: number] {
  if (deleted) return [deleted.indexOf(0), deleted.lastIndexOf(0)];
  return segment.documents > 0 ? [0, segment.documents - 1] : [-1, -1];
}

function liveIn({ segment, deleted }: Rows): number {
  return deleted ? deleted.reduce((sum, byte) => sum + 1 - byte, 0) : segment.documents;
}
