import type { SegmentView } from './open-files.js';

/**
 * Documents of a state have numbers, segment after segment: the number of the first document of
 * each segment, and behind the last.
 */
export function firstNumbers(segments: readonly SegmentView[]): Int32Array {
  const firsts = new Int32Array(segments.length + 1);
  for (const [i, { segment }] of segments.entries()) firsts[i + 1] = firsts[i] + segment.documents;
  return firsts;
}

/** Which segment a document is in. */
export function segmentOf(firsts: Int32Array, document: number): number {
  let low = 0;
  let high = firsts.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (firsts[middle] <= document) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Documents of one segment among ascending ones. */
export interface SegmentShare {
  /** Number of the segment. */
  segment: number;
  /** Where they begin among all that were asked for. */
  at: number;
  /** Their numbers within the segment, ascending. */
  documents: Int32Array;
}

/** Ascending documents, segment by segment. */
export function splitBySegment(firsts: Int32Array, documents: Int32Array): SegmentShare[] {
  const shares: SegmentShare[] = [];
  for (let at = 0; at < documents.length; ) {
    const segment = segmentOf(firsts, documents[at]);
    const [first, behind] = [firsts[segment], firsts[segment + 1]];
    let end = at;
    while (end < documents.length && documents[end] < behind) end++;
    shares.push({
      segment,
      at,
      documents: documents.subarray(at, end).map((document) => document - first),
    });
    at = end;
  }
  return shares;
}

/** Values of all documents, from those of each segment; `out` where a segment has none. */
export function joinValues<A extends Int32Array | Float32Array | Uint8Array>(
  out: A,
  segments: readonly SegmentView[],
  valuesOf: (view: SegmentView) => ArrayLike<number> | null | undefined,
): A {
  let at = 0;
  for (const view of segments) {
    const values = valuesOf(view);
    if (values) out.set(values, at);
    at += view.segment.documents;
  }
  return out;
}
