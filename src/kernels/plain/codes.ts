import type { Kernels } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

/**
 * What is no larger is zero: limit / largest would be infinite, and products with it are below
 * float32.
 */
const NOTHING = 2 ** -110;

type Codes = Pick<Kernels, 'quantizeRowsI16' | 'quantizeColumnsI16' | 'quantizeI8'>;

/** Numbers as codes of 16 and 8 bits. */
export function plainCodes(views: MemoryViews): Codes {
  return {
    quantizeRowsI16(x, rows, dim, limit, columnFactors, out, factors) {
      const { f32, i16 } = views();
      const factor = (k: number): number => (columnFactors ? f32[(columnFactors >> 2) + k] : 1);
      for (let r = 0; r < rows; r++) {
        const row = Float32Array.from(
          { length: dim },
          (_, k) => f32[(x >> 2) + r * dim + k] * factor(k),
        );
        f32[(factors >> 2) + r] = quantize(row, limit, i16, (out >> 1) + r * even(dim));
      }
    },

    quantizeColumnsI16(x, rows, n, xRow, rowFactors, limit, out, factors) {
      const { f32, i16 } = views();
      for (let j = 0; j < n; j++) {
        const column = Float32Array.from(
          { length: rows },
          (_, r) => f32[(x >> 2) + r * xRow + j] * f32[(rowFactors >> 2) + r],
        );
        f32[(factors >> 2) + j] = quantize(column, limit, i16, (out >> 1) + j * even(rows));
      }
    },

    quantizeI8(x, n, scale, out) {
      const { f32, i8 } = views();
      for (let i = 0; i < n; i++)
        i8[out + i] = Math.max(
          -127,
          Math.min(127, roundToEven(Math.fround(f32[(x >> 2) + i] * scale))),
        );
    },
  };
}

/** Codes of the values, at out[i]; returns what one is worth. */
function quantize(values: Float32Array, limit: number, i16: Int16Array, out: number): number {
  const found = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const largest = found > NOTHING ? found : 0;
  const scale = largest > 0 ? Math.fround(limit / largest) : 0;
  values.forEach((value, i) => {
    i16[out + i] = roundToEven(Math.fround(value * scale));
  });
  if (values.length & 1) i16[out + values.length] = 0;
  return largest / limit;
}

function even(n: number): number {
  return n + (n & 1);
}

/** Ties go to the even neighbour, as in WASM's nearest. */
function roundToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}
