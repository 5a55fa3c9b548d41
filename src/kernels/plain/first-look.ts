import { LOOK_SHIFT, type LookKernels, lookLanes, lookWidth } from '../look-kernels.js';
import type { MemoryViews } from './memory-views.js';

/** Largest inner products of int8 tokens with lanes of 7 bits. */
export function plainFirstLook(views: MemoryViews): LookKernels {
  return {
    packLanesU7(codes, rows, dim, step, out, errors) {
      const { i8, i16, i32 } = views();
      const inverse = Math.floor((32768 + (step >> 1)) / step);
      for (let x = 0; x < lookLanes(rows); x++) {
        let error = 0;
        for (let k = 0; k < dim; k++) {
          const code = x < rows ? i16[(codes >> 1) + x * dim + k] : 0;
          const quotient = (code * inverse + 16384) >> 15;
          error += (code - quotient * step) ** 2;
          i8[out + placeOf(x, k, rows, dim)] = quotient + LOOK_SHIFT;
        }
        if (x < rows) i32[(errors >> 2) + x] = error;
      }
    },

    sumTokensI8(tokens, dim, counts, documents, offsets, norms) {
      const { i8, i32 } = views();
      let token = 0;
      for (let d = 0; d < documents; d++) {
        let most = 0;
        for (let end = token + i32[(counts >> 2) + d]; token < end; token++) {
          const codes = i8.subarray(tokens + token * dim, tokens + (token + 1) * dim);
          i32[(offsets >> 2) + token] = -LOOK_SHIFT * codes.reduce((sum, code) => sum + code, 0);
          most = Math.max(
            most,
            codes.reduce((sum, code) => sum + code * code, 0),
          );
        }
        i32[(norms >> 2) + d] = most;
      }
    },

    maxDotsU7(panels, lanes, dim, tokens, offsets, counts, documents, out, outStride) {
      const { f32, i8, i32 } = views();
      for (let x = 0; x < lanes; x++) {
        let token = 0;
        for (let d = 0; d < documents; d++) {
          let best = -Infinity;
          for (let end = token + i32[(counts >> 2) + d]; token < end; token++) {
            let dot = i32[(offsets >> 2) + token];
            for (let k = 0; k < dim; k++)
              dot += i8[panels + placeOf(x, k, lanes, dim)] * i8[tokens + token * dim + k];
            best = Math.max(best, dot);
          }
          f32[(out >> 2) + x * outStride + d] = best;
        }
      }
    },
  };
}

/** Where dimension k of lane x lies in panels of so many lanes. */
function placeOf(x: number, k: number, lanes: number, dim: number): number {
  const first = x & ~15;
  return first * dim + (k >> 2) * lookWidth(lanes - first) * 4 + (x - first) * 4 + (k & 3);
}
