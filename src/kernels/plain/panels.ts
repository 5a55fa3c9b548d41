import { type Kernels, LANES, panelWidth } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

type Panels = Pick<
  Kernels,
  'packLanesF32' | 'packLanesI16' | 'packPanelsI16' | 'packPairsI16' | 'widenI8'
>;

/** Rows laid out as the products read them. */
export function plainPanels(views: MemoryViews): Panels {
  return {
    packLanesF32(x, rows, dim, out) {
      const { f32 } = views();
      let to = out >> 2;
      for (let first = 0, width = 0; first < rows; first += width) {
        width = panelWidth(rows - first);
        for (let k = 0; k < dim; k++) {
          for (let lane = first; lane < first + width; lane++)
            f32[to++] = lane < rows ? f32[(x >> 2) + lane * dim + k] : 0;
        }
      }
    },

    packLanesI16(x, rows, dim, out) {
      packPairs(views().i16, x, rows, dim, out, panelWidth);
    },

    packPanelsI16(x, rows, dim, out) {
      packPairs(views().i16, x, rows, dim, out, () => LANES);
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

/** Panels of pairs, each as wide as `widthOf` says of the rows that are left. */
function packPairs(
  i16: Int16Array,
  x: number,
  rows: number,
  dim: number,
  out: number,
  widthOf: (left: number) => number,
): void {
  let to = out >> 1;
  for (let first = 0, width = 0; first < rows; first += width) {
    width = widthOf(rows - first);
    for (let k = 0; k < dim; k += 2) {
      for (let lane = first; lane < first + width; lane++) {
        for (let odd = 0; odd < 2; odd++)
          i16[to++] = lane < rows ? i16[(x >> 1) + lane * dim + k + odd] : 0;
      }
    }
  }
}

function even(n: number): number {
  return n + (n & 1);
}
