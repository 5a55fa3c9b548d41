/**
 * Rows of codes of a few bits: two bytes for a scale, the upper half of a float32, then the codes.
 * Byte b of `bytes` holds dimensions b, b + bytes, b + 2 bytes ..., the first in its lowest bits;
 * what lies beyond the last dimension is 0.
 */
export const SCALE_BYTES = 2;

/** Bits of a code. */
export type CodeBits = 2 | 4;

/** Bytes of the codes of a row. */
export function codeBytes(dim: number, bits: CodeBits): number {
  return Math.ceil((dim * bits) / 8);
}

/** Dimensions that the codes of a row have room for, a multiple of two. */
export function paddedDim(dim: number, bits: CodeBits): number {
  return (codeBytes(dim, bits) * 8) / bits;
}

/**
 * Levels that a code stands for, ascending, as int8: those that lose least of normal values (Lloyd
 * and Max), times 127 over the largest. Products with them are exact in integers.
 */
export const LEVELS: Readonly<Record<CodeBits, Int8Array>> = {
  2: levels(38, 127),
  4: levels(6, 18, 31, 44, 58, 75, 96, 127),
};

/** Standard deviation of normal values that the levels are for. */
export const LEVEL_DEVIATION: Readonly<Record<CodeBits, number>> = {
  2: 127 / 1.5104,
  4: 127 / 2.7326,
};

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);

/** The upper half of the float32 of a number, rounded to nearest, ties to even. */
export function upperHalf(value: number): number {
  floats[0] = value;
  return (words[0] + 0x7fff + ((words[0] >>> 16) & 1)) >>> 16;
}

/** The float32 with that upper half. */
export function fromUpperHalf(half: number): number {
  words[0] = half << 16;
  return floats[0];
}

function levels(...positive: number[]): Int8Array {
  return Int8Array.of(...positive.map((level) => -level).reverse(), ...positive);
}
