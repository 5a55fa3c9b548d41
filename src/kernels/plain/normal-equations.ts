import type { Kernels } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

type NormalEquations = Pick<Kernels, 'outerF64' | 'addToF64' | 'choleskyF64' | 'choleskySolve16'>;

/** Gram matrices, their Cholesky factors and what these solve, in float64. */
export function plainNormalEquations(views: MemoryViews): NormalEquations {
  return {
    outerF64(m, n, k, a, aRow, b, bRow, c, cRow) {
      const { f32, f64 } = views();
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
      const { f32, f64 } = views();
      for (let i = 0; i < n; i++) f64[(c >> 3) + i] += f32[(x >> 2) + i];
    },

    choleskyF64(a, n) {
      const { f64 } = views();
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
      const { f64 } = views();
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
  };
}
