import { sharedFloats } from './gather.js';
import { rowOffsets, type TokenSets } from './token-sets.js';

/** Arrays end to end in one that `make` gives for their length. */
export function joinArrays<A extends Int8Array | Uint8Array | Int32Array | Float32Array>(
  parts: readonly A[],
  make: (length: number) => A,
): A {
  const out = make(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Texts of one matrix each, rows x dim. */
export function joinTexts(parts: readonly Float32Array[], dim: number): TokenSets {
  const counts = Int32Array.from(parts, ({ length }) => length / dim);
  return { vectors: joinArrays(parts, sharedFloats), counts, offsets: rowOffsets(counts), dim };
}
