import type { Kernels } from './kernels.js';
import type { KernelMemory } from './memory.js';

type LinearAlgebra = Pick<
  Kernels,
  | 'gemmF32'
  | 'outerF64'
  | 'addToF64'
  | 'choleskyF64'
  | 'choleskySolve16'
  | 'sumRows'
  | 'sumProducts'
  | 'addBias'
  | 'multiply'
  | 'standardise'
  | 'dequantise'
  | 'squaredError'
  | 'sumSquares'
  | 'scanF32'
>;

/** Products, factors and sums of the plain kernels. */
export function plainLinearAlgebra(memory: Pick<KernelMemory, 'buffer'>): LinearAlgebra {
  let buffer = memory.buffer;
  let f32 = new Float32Array(buffer);
  let f64 = new Float64Array(buffer);
  const refresh = (): void => {
    if (memory.buffer === buffer) return;
    buffer = memory.buffer;
    f32 = new Float32Array(buffer);
    f64 = new Float64Array(buffer);
  };

  return {
    gemmF32(m, n, k, a, aRow, aCol, b, bRow, bCol, c, cRow, accumulate) {
      refresh();
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = accumulate ? f32[(c >> 2) + i * cRow + j] : 0;
          for (let l = 0; l < k; l++)
            sum += f32[(a >> 2) + i * aRow + l * aCol] * f32[(b >> 2) + l * bRow + j * bCol];
          f32[(c >> 2) + i * cRow + j] = sum;
        }
      }
    },

    outerF64(m, n, k, a, aRow, b, bRow, c, cRow) {
      refresh();
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = f64[(c >> 3) + i * cRow + j];
          for (let l = 0; l < k; l++)
            sum += f32[(a >> 2) + l * aRow + i] * f32[(b >> 2) + l * bRow + j];
          f64[(c >> 3) + i * cRow + j] = sum;
        }
      }
    },

    addToF64(c, x, n) {
      refresh();
      for (let i = 0; i < n; i++) f64[(c >> 3) + i] += f32[(x >> 2) + i];
    },

    choleskyF64(a, n) {
      refresh();
      const at = (i: number, j: number): number => (a >> 3) + i * n + j;
      let smallest = 1;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j <= i; j++) {
          let sum = f64[at(i, j)];
          for (let k = 0; k < j; k++) sum -= f64[at(i, k)] * f64[at(j, k)];
          if (j < i) f64[at(i, j)] = sum / f64[at(j, j)];
          else {
            const ratio = f64[at(i, i)] > 0 ? sum / f64[at(i, i)] : 0;
            smallest = Math.min(smallest, ratio);
            if (!(ratio > 0)) return Math.min(ratio, 0);
            f64[at(i, i)] = Math.sqrt(sum);
          }
        }
      }
      return smallest;
    },

    choleskySolve16(l, n, x, xRow) {
      refresh();
      for (let lane = 0; lane < 16; lane++) {
        const at = (i: number): number => (x >> 3) + i * xRow + lane;
        for (let i = 0; i < n; i++) {
          for (let k = 0; k < i; k++) f64[at(i)] -= f64[(l >> 3) + i * n + k] * f64[at(k)];
          f64[at(i)] /= f64[(l >> 3) + i * n + i];
        }
        for (let i = n - 1; i >= 0; i--) {
          for (let k = i + 1; k < n; k++) f64[at(i)] -= f64[(l >> 3) + k * n + i] * f64[at(k)];
          f64[at(i)] /= f64[(l >> 3) + i * n + i];
        }
      }
    },

    sumRows(x, rows, n, xRow, accumulate, out) {
      refresh();
      for (let j = 0; j < n; j++) {
        let sum = accumulate ? f32[(out >> 2) + j] : 0;
        for (let r = 0; r < rows; r++) sum += f32[(x >> 2) + r * xRow + j];
        f32[(out >> 2) + j] = sum;
      }
    },

    sumProducts(x, y, rows, n, row, out) {
      refresh();
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let r = 0; r < rows; r++)
          sum += f32[(x >> 2) + r * row + j] * f32[(y >> 2) + r * row + j];
        f32[(out >> 2) + j] = sum;
      }
    },

    addBias(x, rows, n, bias) {
      refresh();
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < n; j++) f32[(x >> 2) + r * n + j] += f32[(bias >> 2) + j];
      }
    },

    multiply(x, y, n) {
      refresh();
      for (let i = 0; i < n; i++) f32[(x >> 2) + i] *= f32[(y >> 2) + i];
    },

    standardise(x, n, shift, scale) {
      refresh();
      for (let i = 0; i < n; i++) f32[(x >> 2) + i] = (f32[(x >> 2) + i] - shift) * scale;
    },

    dequantise(x, rows, columns, row, rowFactors, columnFactors, rowShifts) {
      refresh();
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const factor = f32[(rowFactors >> 2) + r] * f32[(columnFactors >> 2) + c];
          f32[(x >> 2) + r * row + c] =
            f32[(x >> 2) + r * row + c] * factor + f32[(rowShifts >> 2) + r];
        }
      }
    },

    squaredError(prediction, target, n, scale) {
      refresh();
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const difference = f32[(prediction >> 2) + i] - f32[(target >> 2) + i];
        sum += difference * difference;
        f32[(prediction >> 2) + i] = difference * scale;
      }
      return sum;
    },

    sumSquares(x, n) {
      refresh();
      let sum = 0;
      for (let i = 0; i < n; i++) sum += f32[(x >> 2) + i] * f32[(x >> 2) + i];
      return sum;
    },

    scanF32(q, rows, count, dim, out) {
      refresh();
      for (let i = 0; i < count; i++) {
        let dot = 0;
        for (let k = 0; k < dim; k++) dot += f32[(q >> 2) + k] * f32[(rows >> 2) + i * dim + k];
        f32[(out >> 2) + i] = dot;
      }
    },
  };
}
