import type { Kernels } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

type Elementwise = Pick<
  Kernels,
  'sumRows' | 'sumProducts' | 'addBias' | 'multiply' | 'standardise' | 'dequantise' | 'largestAbs'
>;

/** Sums, scales and differences. */
export function plainElementwise(views: MemoryViews): Elementwise {
  return {
    sumRows(x, rows, n, xRow, accumulate, out) {
      const { f32 } = views();
      for (let j = 0; j < n; j++) {
        let sum = accumulate ? f32[(out >> 2) + j] : 0;
        for (let r = 0; r < rows; r++) sum += f32[(x >> 2) + r * xRow + j];
        f32[(out >> 2) + j] = sum;
      }
    },

    sumProducts(x, y, rows, n, row, out) {
      const { f32 } = views();
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let r = 0; r < rows; r++)
          sum += f32[(x >> 2) + r * row + j] * f32[(y >> 2) + r * row + j];
        f32[(out >> 2) + j] = sum;
      }
    },

    addBias(x, rows, n, bias) {
      const { f32 } = views();
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < n; j++) f32[(x >> 2) + r * n + j] += f32[(bias >> 2) + j];
      }
    },

    multiply(x, y, n) {
      const { f32 } = views();
      for (let i = 0; i < n; i++) f32[(x >> 2) + i] *= f32[(y >> 2) + i];
    },

    standardise(x, n, shift, scale) {
      const { f32 } = views();
      for (let i = 0; i < n; i++) f32[(x >> 2) + i] = (f32[(x >> 2) + i] - shift) * scale;
    },

    dequantise(x, rows, columns, row, rowFactors, columnFactors, rowShifts) {
      const { f32 } = views();
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const factor = f32[(rowFactors >> 2) + r] * f32[(columnFactors >> 2) + c];
          f32[(x >> 2) + r * row + c] =
            f32[(x >> 2) + r * row + c] * factor + f32[(rowShifts >> 2) + r];
        }
      }
    },

    largestAbs(x, n) {
      const { f32 } = views();
      let largest = 0;
      for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(f32[(x >> 2) + i]));
      return largest;
    },
  };
}
