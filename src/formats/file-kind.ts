/** What a file is by its first bytes; `text` is whatever has no mark of its own. */
export type FileKind = 'npy' | 'safetensors' | 'zip' | 'gzip' | 'pickle' | 'text';

/** A safetensors header longer than this is taken for something else. */
const LONGEST_HEADER = 100_000_000;

/** Tells the kind by at least the first 16 bytes, whatever the file's name says. */
export function fileKind(head: Uint8Array): FileKind {
  const begins = (...bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return 'npy';
  if (begins(0x50, 0x4b, 3, 4)) return 'zip';
  if (begins(0x1f, 0x8b)) return 'gzip';
  if (head.length > 8 && head[8] === 0x7b) {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    if (view.getBigUint64(0, true) <= LONGEST_HEADER) return 'safetensors';
  }
  // the protocol of a pickle
  if (head[0] === 0x80 && head[1] >= 2 && head[1] <= 5) return 'pickle';
  return 'text';
}
