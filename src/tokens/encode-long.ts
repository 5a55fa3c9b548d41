import { nextMacrotask } from '../pacer.js';
import { decodeRows, decodeVectors, encodeVectors } from './encode-tokens.js';
import { type EncodedRows, type EncodingLoss, rowLength, type TokenCodec } from './encoding.js';

/**
 * Values that are encoded or decoded between two turns of the event loop: those of 2 bits take some
 * 10 ms.
 */
const AT_ONCE = 1 << 17;

/** One text as it is stored, and what that has lost. */
export type StoredVectors = EncodedRows & EncodingLoss;

/**
 * One text, tokens x dim, in memory of its own, as `encodeVectors` has it: a long one in parts,
 * giving way to other work in between.
 */
export async function storedVectors(
  vectors: Float32Array,
  codec: TokenCodec,
): Promise<StoredVectors> {
  const { encoding, dim } = codec;
  if (vectors.length <= AT_ONCE) {
    const text = encodeVectors(vectors, codec);
    return { ...text, ...encoding.loss(vectors, text, codec) };
  }
  const parts = partsOf(vectors.length / dim, dim);
  const valuesOf = ([from, to]: Part): Float32Array => vectors.subarray(from * dim, to * dim);
  let reach: number | undefined;
  if (encoding.reach) {
    reach = 0;
    for (const part of parts) {
      reach = Math.max(reach, encoding.reach(valuesOf(part), codec));
      await nextMacrotask();
    }
  }
  const width = rowLength(codec);
  const length = (vectors.length / dim) * width;
  const rows = encoding.dtype === 'f32' ? new Float32Array(length) : new Int8Array(length);
  let [scale, error, energy] = [1, 0, 0];
  for (const part of parts) {
    const own = rows.subarray(part[0] * width, part[1] * width);
    scale = encoding.encode(valuesOf(part), codec, own, reach);
    const loss = encoding.loss(valuesOf(part), { rows: own, scale }, codec);
    error += loss.error;
    energy += loss.energy;
    await nextMacrotask();
  }
  return { rows, scale, error, energy };
}

/** Vectors of a text, tokens x dim: a long one in parts, giving way to other work in between. */
export async function decodedVectors(text: EncodedRows, codec: TokenCodec): Promise<Float32Array> {
  const { dim } = codec;
  const width = rowLength(codec);
  const rows = text.rows.length / width;
  if (rows * dim <= AT_ONCE) return decodeVectors(text, codec);
  const out = new Float32Array(rows * dim);
  for (const [from, to] of partsOf(rows, dim)) {
    const own = { rows: text.rows.subarray(from * width, to * width), scale: text.scale };
    decodeRows(own, codec, out.subarray(from * dim, to * dim));
    await nextMacrotask();
  }
  return out;
}

/**
 * Vectors of a text a part at a time, tokens x dim, in memory that the next part is decoded into
 * again. Who takes them gives way to other work in between.
 */
export function* decodedParts(
  text: EncodedRows,
  codec: TokenCodec,
): Generator<Float32Array, void, void> {
  const { dim } = codec;
  const width = rowLength(codec);
  const parts = partsOf(text.rows.length / width, dim);
  const room = new Float32Array((parts[0]?.[1] ?? 0) * dim);
  for (const [from, to] of parts) {
    const own = { rows: text.rows.subarray(from * width, to * width), scale: text.scale };
    const vectors = room.subarray(0, (to - from) * dim);
    decodeRows(own, codec, vectors);
    yield vectors;
  }
}

/** Rows from .. to. */
type Part = readonly [number, number];

function partsOf(rows: number, dim: number): Part[] {
  const most = Math.max(1, Math.floor(AT_ONCE / dim));
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => [
    i * most,
    Math.min(rows, (i + 1) * most),
  ]);
}
