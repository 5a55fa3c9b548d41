import { stepPacer } from '../pacer.js';
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

/** Values that are copied in a step between two turns of the event loop. */
const STEP_VALUES = 1 << 12;

/**
 * Texts of one matrix each, rows x dim. Gives way to other work every 4,096 of them. Rejects with
 * the signal's reason.
 */
export async function joinTexts(
  parts: readonly Float32Array[],
  dim: number,
  signal?: AbortSignal | undefined,
): Promise<TokenSets> {
  const step = stepPacer(signal);
  const counts = new Int32Array(parts.length);
  let rows = 0;
  for (const [text, { length }] of parts.entries()) {
    counts[text] = length / dim;
    rows += counts[text];
  }
  const vectors = sharedFloats(rows * dim);
  let at = 0;
  for (const part of parts) {
    vectors.set(part, at);
    at += part.length;
    const wait = step(1 + part.length / STEP_VALUES);
    if (wait) await wait;
  }
  return { vectors, counts, offsets: rowOffsets(counts), dim };
}
