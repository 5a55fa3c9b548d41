/** The kind of a file by its first bytes; `text` is whatever has no mark of its own. */
export type FileKind = 'npy' | 'safetensors' | 'npz' | 'zip' | 'gzip' | 'pickle' | 'text';

/**
 * A length that a text cannot begin with; how much of a header is read is said where it is read.
 */
const LONGEST_HEADER = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Tells the kind by at least the first 16 bytes, whatever the file's name says; what a zip holds by
 * the name of the first file in it, where that is among them.
 */
export function fileKind(head: Uint8Array): FileKind {
  const begins = (...bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return 'npy';
  if (begins(0x50, 0x4b, 3, 4)) return firstEntry(head).endsWith('.npy') ? 'npz' : 'zip';
  if (begins(0x1f, 0x8b)) return 'gzip';
  if (head.length > 8 && head[8] === 0x7b) {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    if (view.getBigUint64(0, true) <= LONGEST_HEADER) return 'safetensors';
  }
  // the protocol of a pickle
  if (head[0] === 0x80 && head[1] >= 2 && head[1] <= 5) return 'pickle';
  return 'text';
}

/** The name in the first local header. */
function firstEntry(zip: Uint8Array): string {
  const length = zip[26] + 256 * zip[27];
  return zip.length < 30 + length
    ? ''
    : new TextDecoder('latin1').decode(zip.subarray(30, 30 + length));
}
