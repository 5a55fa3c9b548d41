import type { Segment } from '../files/segment.js';

/** Bytes of a file that are read at once. */
const READ_BYTES = 16 * 1024 * 1024;

/** Ranges of a segment's documents of which each is read at once. */
export function* readRanges(
  { documents }: Segment,
  bytes: number,
): Generator<[from: number, to: number]> {
  const step = Math.max(1, Math.floor((documents * READ_BYTES) / Math.max(1, bytes)));
  for (let from = 0; from < documents; from += step) yield [from, Math.min(documents, from + step)];
}
