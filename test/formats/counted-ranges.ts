import type { ByteRanges } from '../../src/bytes/byte-ranges.js';

/** Counts what is asked for: offset and length of each read. */
export function counted(source: ByteRanges): ByteRanges & { reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    size: source.size,
    reads,
    read(offset, length) {
      reads.push([offset, length]);
      return source.read(offset, length);
    },
  };
}
