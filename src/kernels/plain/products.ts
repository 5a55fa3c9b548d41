import type { Kernels } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

type Products = Pick<Kernels, 'gemmF32' | 'gemmI16' | 'scanF32' | 'scanI8'>;

/** Matrix products, and those of one row with many. */
export function plainProducts(views: MemoryViews): Products {
  return {
    gemmF32(m, n, k, a, aRow, aCol, b, bRow, bCol, c, cRow, accumulate) {
      const { f32 } = views();
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = accumulate ? f32[(c >> 2) + i * cRow + j] : 0;
          for (let l = 0; l < k; l++)
            sum += f32[(a >> 2) + i * aRow + l * aCol] * f32[(b >> 2) + l * bRow + j * bCol];
          f32[(c >> 2) + i * cRow + j] = sum;
        }
      }
    },

    gemmI16(m, n, k, a, aFactors, panels, bFactors, c, cRow) {
      const { f32, i16 } = views();
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

    scanF32(q, rows, count, dim, out) {
      const { f32 } = views();
      for (let i = 0; i < count; i++) {
        let dot = 0;
        for (let k = 0; k < dim; k++) dot += f32[(q >> 2) + k] * f32[(rows >> 2) + i * dim + k];
        f32[(out >> 2) + i] = dot;
      }
    },

    scanI8(q, rows, count, dim, out) {
      const { f32, i16, i8 } = views();
      for (let i = 0; i < count; i++) {
        let dot = 0;
        for (let k = 0; k < dim; k++) dot += i16[(q >> 1) + k] * i8[rows + i * dim + k];
        f32[(out >> 2) + i] = dot;
      }
    },
  };
}
