import {
  type CodeBits,
  codeBytes,
  fromUpperHalf,
  LEVEL_DEVIATION,
  LEVELS,
  SCALE_BYTES,
  upperHalf,
} from './level-rows.js';

/** Cells of a standard deviation, and deviations up to which there are cells. */
const CELLS = 256;
const REACH = 4;

const CODES_OF_CELLS: Readonly<Record<CodeBits, Uint8Array>> = {
  2: codesOfCells(2),
  4: codesOfCells(4),
};

/**
 * Writes the row of rotated values less the mean, which it changes; `codes` is room for as many.
 * The scale keeps the length of what was rounded, as searches and fits go by lengths: what loses
 * least would make tokens of two bits 6 % shorter.
 */
export function encodeRow(
  values: Float64Array,
  mean: Float32Array,
  bits: CodeBits,
  codes: Uint8Array,
  rows: Int8Array,
  at: number,
): void {
  const dim = values.length;
  const levels = LEVELS[bits];
  let square = 0;
  for (let j = 0; j < dim; j++) square += values[j] * values[j];
  rows.fill(0, at, at + SCALE_BYTES + codeBytes(dim, bits));
  if (square === 0) return;
  const along = nearestCodes(values, mean, bits, Math.sqrt(square / dim), codes);
  evenOut(values, mean, codes, levels, along, dim / square);
  let energy = 0;
  for (let j = 0; j < dim; j++) {
    const level = levels[codes[j]];
    energy += level * level;
  }
  const half = upperHalf(Math.sqrt(square / energy));
  rows[at] = half;
  rows[at + 1] = half >> 8;
  packCodes(codes, bits, rows, at + SCALE_BYTES);
}

/** Rotated values of a row, less the mean. */
export function decodeRow(rows: Int8Array, at: number, bits: CodeBits, out: Float64Array): void {
  const levels = LEVELS[bits];
  const bytes = codeBytes(out.length, bits);
  const scale = fromUpperHalf((rows[at] & 255) | ((rows[at + 1] & 255) << 8));
  const mask = 2 ** bits - 1;
  for (let j = 0, byte = 0, shift = 0; j < out.length; j++) {
    out[j] = levels[(rows[at + SCALE_BYTES + byte] >> shift) & mask] * scale;
    if (++byte === bytes) {
      byte = 0;
      shift += bits;
    }
  }
}

/**
 * Codes of the levels that are nearest; values become multiples of a level's unit. Returns what is
 * lost, times the mean.
 */
function nearestCodes(
  values: Float64Array,
  mean: Float32Array,
  bits: CodeBits,
  deviation: number,
  codes: Uint8Array,
): number {
  const levels = LEVELS[bits];
  const cells = CODES_OF_CELLS[bits];
  const last = cells.length - 1;
  const perCell = CELLS / deviation;
  const perLevel = LEVEL_DEVIATION[bits] / deviation;
  let along = 0;
  for (let j = 0; j < values.length; j++) {
    const cell = (values[j] * perCell + REACH * CELLS) | 0;
    const code = cells[cell < 0 ? 0 : cell > last ? last : cell];
    const value = values[j] * perLevel;
    codes[j] = code;
    values[j] = value;
    along += mean[j] * (value - levels[code]);
  }
  return along;
}

/**
 * Moves codes to the next level on the other side of their values where that takes away more of
 * what is lost along the mean than it adds elsewhere. Queries have the mean in common with
 * documents: what is lost along it comes into all of their products, and would be most of the error
 * of models whose vectors lie in a narrow cone. `along`: the loss times the mean; `weight`: of its
 * square beside the squares of single losses. Values are in levels.
 */
function evenOut(
  values: Float64Array,
  mean: Float32Array,
  codes: Uint8Array,
  levels: Int8Array,
  along: number,
  weight: number,
): void {
  for (let j = 0; j < values.length; j++) {
    const lost = values[j] - levels[codes[j]];
    // its level may be the outermost
    const code = codes[j] + (lost > 0 ? 1 : -1);
    if (code < 0 || code >= levels.length) continue;
    const other = values[j] - levels[code];
    const rest = along + mean[j] * (other - lost);
    if (weight * (rest * rest - along * along) + other * other - lost * lost < 0) {
      codes[j] = code;
      along = rest;
    }
  }
}

function packCodes(codes: Uint8Array, bits: CodeBits, rows: Int8Array, at: number): void {
  const bytes = codeBytes(codes.length, bits);
  for (let j = 0, byte = 0, shift = 0; j < codes.length; j++) {
    rows[at + byte] |= codes[j] << shift;
    if (++byte === bytes) {
      byte = 0;
      shift += bits;
    }
  }
}

/**
 * The code whose level is nearest to the middle of each cell of values, from -REACH standard
 * deviations on.
 */
function codesOfCells(bits: CodeBits): Uint8Array {
  const levels = LEVELS[bits];
  return Uint8Array.from({ length: 2 * REACH * CELLS }, (_, cell) => {
    const value = ((cell + 0.5) / CELLS - REACH) * LEVEL_DEVIATION[bits];
    let code = 0;
    while (code + 1 < levels.length && value > (levels[code] + levels[code + 1]) / 2) code++;
    return code;
  });
}
