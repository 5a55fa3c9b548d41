import { nextMacrotask } from '../pacer.js';

const SLICE = 1 << 22;

/**
 * A copy, in memory of its own, which nobody else changes: many bytes slice by slice, giving way to
 * other work in between.
 */
export async function copyPaced(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  // not slice(), which of a Node Buffer would be a view
  if (bytes.length <= SLICE) return new Uint8Array(bytes);
  const copy = new Uint8Array(bytes.length);
  for (let from = 0; from < bytes.length; from += SLICE) {
    if (from > 0) await nextMacrotask();
    copy.set(bytes.subarray(from, from + SLICE), from);
  }
  return copy;
}
