import type { ByteSource } from '../../src/bytes/byte-source.js';

/** Counts what is asked for: offset and length of each read. */
export function counted(source: ByteSource): ByteSource & { reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    name: source.name,
    size: source.size,
    reads,
    read(offset, length) {
      reads.push([offset, length]);
      return source.read(offset, length);
    },
  };
}
