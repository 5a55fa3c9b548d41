import { pacer } from '../pacer.js';
import { type EncodedRows, rowLength, type TokenCodec, type TokenRows } from './encoding.js';
import { encodingOf } from './encodings.js';
import { float32Encoding } from './float32-encoding.js';
import { sharedFloats } from './gather.js';
import { joinArrays } from './join.js';
import { rowOffsets, type TokenSets } from './token-sets.js';

/** Texts between two chances for everything else on this thread. */
const TEXTS = 64;

/** Many texts as they are stored. */
export interface EncodedTokens extends TokenCodec {
  /** Rows of all texts, text after text. */
  readonly rows: TokenRows;
  /** One for each text; null where texts of the encoding have none. */
  readonly scales: Float32Array | null;
  readonly counts: Int32Array;
  readonly offsets: Float64Array;
}

/** The encoding of that name as it learns from texts. Rejects with the signal's reason. */
export async function learnCodec(
  precision: string,
  sample: TokenSets,
  seed: number,
  signal?: AbortSignal | undefined,
): Promise<TokenCodec> {
  const encoding = encodingOf(precision);
  return { encoding, dim: sample.dim, parameters: await encoding.learn(sample, seed, signal) };
}

/** The encoding of that name with zeros for what it would have learned. */
export function unlearnedCodec(precision: string, dim: number): TokenCodec {
  const encoding = encodingOf(precision);
  return { encoding, dim, parameters: new Float32Array(encoding.parameterCount(dim)) };
}

/** Texts as they come, which is how float32 has them. No copy is made. */
export function plainTokens({ vectors, counts, offsets, dim }: TokenSets): EncodedTokens {
  return {
    encoding: float32Encoding,
    parameters: new Float32Array(0),
    rows: vectors,
    scales: null,
    counts,
    offsets,
    dim,
  };
}

/**
 * Texts by an encoding, without a copy where rows are vectors. Rejects with the signal's reason.
 */
export async function encodeTokens(
  { vectors, counts, offsets, dim }: TokenSets,
  codec: TokenCodec,
  signal?: AbortSignal | undefined,
): Promise<EncodedTokens> {
  const { encoding, parameters } = codec;
  const pace = pacer(signal);
  const width = rowLength({ encoding, dim });
  const scales = encoding.textScales ? new Float32Array(counts.length) : null;
  const shape = { encoding, parameters, scales, counts, offsets, dim };
  if (encoding.dtype === 'f32') return { ...shape, rows: vectors };
  const rows = sharedBytes(offsets[counts.length] * width);
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    const [from, to] = [offsets[text], offsets[text + 1]];
    const scale = encoding.encode(
      vectors.subarray(from * dim, to * dim),
      codec,
      rows.subarray(from * width, to * width),
    );
    if (scales) scales[text] = scale;
  }
  return { ...shape, rows };
}

/** One text, tokens x dim, in memory of its own. */
export function encodeVectors(vectors: Float32Array, codec: TokenCodec): EncodedRows {
  const { encoding, dim } = codec;
  const length = (vectors.length / dim) * rowLength({ encoding, dim });
  const rows = encoding.dtype === 'f32' ? new Float32Array(length) : new Int8Array(length);
  return { rows, scale: encoding.encode(vectors, codec, rows) };
}

/**
 * Vectors of rows `from` to `to`, all of one text: decoded into `room`, or as they lie where rows
 * are vectors.
 */
export function vectorsOf(
  tokens: EncodedTokens,
  text: number,
  from: number,
  to: number,
  room: Float64Array,
): Float32Array | Float64Array {
  const { encoding, rows, scales, dim } = tokens;
  const width = rowLength({ encoding, dim });
  const own = rows.subarray(from * width, to * width);
  if (own instanceof Float32Array) return own;
  const values = room.subarray(0, (to - from) * dim);
  decodeRows({ rows: own, scale: scales?.[text] ?? 1 }, tokens, values);
  return values;
}

/** Vectors of a text, tokens x dim. */
export function decodeVectors(text: EncodedRows, codec: TokenCodec): Float32Array {
  const out = new Float32Array((text.rows.length / rowLength(codec)) * codec.dim);
  decodeRows(text, codec, out);
  return out;
}

/** Vectors of rows of a text, rows x dim. */
export function decodeRows(
  text: EncodedRows,
  codec: TokenCodec,
  out: Float32Array | Float64Array,
): void {
  codec.encoding.decode(text, codec, out);
  codec.encoding.restore?.(out, codec);
}

/** Stored texts as one. */
export function joinEncoded(texts: readonly EncodedRows[], codec: TokenCodec): EncodedTokens {
  const { encoding, parameters, dim } = codec;
  const width = rowLength({ encoding, dim });
  const counts = Int32Array.from(texts, ({ rows }) => rows.length / width);
  return {
    encoding,
    parameters,
    rows: joinArrays(
      texts.map(({ rows }) => rows),
      (length) => (encoding.dtype === 'f32' ? sharedFloats(length) : new Int8Array(length)),
    ),
    scales: encoding.textScales ? Float32Array.from(texts, ({ scale }) => scale) : null,
    counts,
    offsets: rowOffsets(counts),
    dim,
  };
}

function sharedBytes(length: number): Int8Array {
  if (typeof SharedArrayBuffer === 'undefined') return new Int8Array(length);
  return new Int8Array(new SharedArrayBuffer(length));
}
