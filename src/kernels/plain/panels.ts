import type { Kernels } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

type Panels = Pick<Kernels, 'packLanesF32' | 'packLanesI16' | 'packPairsI16' | 'widenI8'>;

/** Rows laid out as the products read them. */
export function plainPanels(views: MemoryViews): Panels {
  return {
    packLanesF32(x, rows, dim, out) {
      const { f32 } = views();
      for (let first = 0, to = out >> 2; first < rows; first += 16) {
        for (let k = 0; k < dim; k++) {
          for (let lane = 0; lane < 16; lane++)
            f32[to++] = first + lane < rows ? f32[(x >> 2) + (first + lane) * dim + k] : 0;
        }
      }
    },

    packLanesI16(x, rows, dim, out) {
      const { i16 } = views();
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
      const { i16 } = views();
      const row = even(n);
      for (let r = 0; r < even(rows); r++) {
        for (let j = 0; j < Math.ceil(n / 16) * 16; j++) {
          const to = (out >> 1) + (j >> 4) * outRows * 16 + (r >> 1) * 32 + (j & 15) * 2 + (r & 1);
          i16[to] = r < rows && j < n ? i16[(x >> 1) + r * row + j] : 0;
        }
      }
    },

    widenI8(x, rows, dim, out) {
      const { i16, i8 } = views();
      for (let r = 0, to = out >> 1; r < rows; r++) {
        for (let k = 0; k < dim; k++) i16[to++] = i8[x + r * dim + k];
        if (dim & 1) i16[to++] = 0;
      }
    },
  };
}

function even(n: number): number {
  return n + (n & 1);
}
