import type { Kernels } from './kernels.js';
import type { KernelMemory } from './memory.js';

type Codes = Pick<
  Kernels,
  | 'packLanesI16'
  | 'packPairsI16'
  | 'widenI8'
  | 'quantizeRowsI16'
  | 'quantizeColumnsI16'
  | 'quantizeI8'
  | 'largestAbs'
  | 'gemmI16'
>;

/**
 * What is no larger is zero: limit / largest would be infinite, and products with it are below
 * float32.
 */
const NOTHING = 2 ** -110;

/** Codes of the plain kernels and their products. */
export function plainCodes(memory: Pick<KernelMemory, 'buffer'>): Codes {
  let buffer = memory.buffer;
  let f32 = new Float32Array(buffer);
  let i16 = new Int16Array(buffer);
  let i8 = new Int8Array(buffer);
  const refresh = (): void => {
    if (memory.buffer === buffer) return;
    buffer = memory.buffer;
    f32 = new Float32Array(buffer);
    i16 = new Int16Array(buffer);
    i8 = new Int8Array(buffer);
  };
  /** Codes of the values, at out[i] of i16; returns what one is worth. */
  const quantize = (values: Float32Array, limit: number, out: number): number => {
    const found = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const largest = found > NOTHING ? found : 0;
    const scale = largest > 0 ? Math.fround(limit / largest) : 0;
    values.forEach((value, i) => {
      i16[out + i] = roundToEven(Math.fround(value * scale));
    });
    if (values.length & 1) i16[out + values.length] = 0;
    return largest / limit;
  };

  return {
    packLanesI16(x, rows, dim, out) {
      refresh();
      for (let first = 0, to = out >> 1; first < rows; first += 16) {
        for (let k = 0; k < dim; k += 2) {
          for (let lane = 0; lane < 16; lane++) {
            for (let odd = 0; odd < 2; odd++)
              i16[to++] = first + lane < rows ? i16[(x >> 1) + (first + lane) * dim + k + odd] : 0;
          }
        }
      }
    },

    packPairsI16(x, rows, n, out, outRows) {
      refresh();
      const row = even(n);
      for (let r = 0; r < even(rows); r++) {
        for (let j = 0; j < Math.ceil(n / 16) * 16; j++) {
          const to = (out >> 1) + (j >> 4) * outRows * 16 + (r >> 1) * 32 + (j & 15) * 2 + (r & 1);
          i16[to] = r < rows && j < n ? i16[(x >> 1) + r * row + j] : 0;
        }
      }
    },

    widenI8(x, rows, dim, out) {
      refresh();
      for (let r = 0, to = out >> 1; r < rows; r++) {
        for (let k = 0; k < dim; k++) i16[to++] = i8[x + r * dim + k];
        if (dim & 1) i16[to++] = 0;
      }
    },

    quantizeRowsI16(x, rows, dim, limit, columnFactors, out, factors) {
      refresh();
      const factor = (k: number): number => (columnFactors ? f32[(columnFactors >> 2) + k] : 1);
      for (let r = 0; r < rows; r++) {
        const row = Float32Array.from(
          { length: dim },
          (_, k) => f32[(x >> 2) + r * dim + k] * factor(k),
        );
        f32[(factors >> 2) + r] = quantize(row, limit, (out >> 1) + r * even(dim));
      }
    },

    quantizeColumnsI16(x, rows, n, xRow, rowFactors, limit, out, factors) {
      refresh();
      for (let j = 0; j < n; j++) {
        const column = Float32Array.from(
          { length: rows },
          (_, r) => f32[(x >> 2) + r * xRow + j] * f32[(rowFactors >> 2) + r],
        );
        f32[(factors >> 2) + j] = quantize(column, limit, (out >> 1) + j * even(rows));
      }
    },

    quantizeI8(x, n, scale, out) {
      refresh();
      for (let i = 0; i < n; i++)
        i8[out + i] = Math.max(
          -127,
          Math.min(127, roundToEven(Math.fround(f32[(x >> 2) + i] * scale))),
        );
    },

    largestAbs(x, n) {
      refresh();
      let largest = 0;
      for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(f32[(x >> 2) + i]));
      return largest;
    },

    gemmI16(m, n, k, a, aFactors, panels, bFactors, c, cRow) {
      refresh();
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          const panel = (panels >> 1) + (j >> 4) * 16 * k + (j & 15) * 2;
          let sum = 0;
          for (let l = 0; l < k; l++)
            sum += i16[(a >> 1) + i * k + l] * i16[panel + (l >> 1) * 32 + (l & 1)];
          f32[(c >> 2) + i * cRow + j] =
            sum * f32[(aFactors >> 2) + i] * (bFactors ? f32[(bFactors >> 2) + j] : 1);
        }
      }
    },
  };
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
