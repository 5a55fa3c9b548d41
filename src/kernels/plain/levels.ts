import type { Kernels } from '../kernels.js';
import { lanePlaces } from './max-dots.js';
import type { MemoryViews } from './memory-views.js';

type Levels = Pick<Kernels, 'maxDotsScaledI16' | 'unpackLevels' | 'rotateRows'>;

/** Tokens as levels of a few bits with a scale each. */
export function plainLevels(views: MemoryViews): Levels {
  return {
    maxDotsScaledI16(panels, lanes, dim, tokens, scales, counts, documents, out, outStride) {
      const { f32, i32, i16 } = views();
      const places = lanePlaces(lanes);
      for (let x = 0; x < lanes; x++) {
        const { first, width } = places[x];
        const panel = (panels >> 1) + first * dim + (x - first) * 2;
        let token = 0;
        for (let d = 0; d < documents; d++) {
          let best = -Infinity;
          for (let end = token + i32[(counts >> 2) + d]; token < end; token++) {
            let dot = 0;
            for (let k = 0; k < dim; k++)
              dot +=
                i16[panel + (k >> 1) * width * 2 + (k & 1)] * i16[(tokens >> 1) + token * dim + k];
            const score = Math.fround(Math.fround(dot) * f32[(scales >> 2) + token]);
            // not for NaN
            if (score > best) best = score;
          }
          f32[(out >> 2) + x * outStride + d] = best;
        }
      }
    },

    unpackLevels(rows, tokens, bytes, bits, levels, out, scales) {
      const { i32, i16, i8 } = views();
      for (let t = 0; t < tokens; t++) {
        const row = rows + t * (2 + bytes);
        i32[(scales >> 2) + t] = ((i8[row] & 255) << 16) | (i8[row + 1] << 24);
        const perByte = 8 / bits;
        for (let j = 0; j < bytes * perByte; j++) {
          const code =
            (i8[row + 2 + (j % bytes)] >> (bits * Math.floor(j / bytes))) & (2 ** bits - 1);
          i16[(out >> 1) + t * bytes * perByte + j] = i8[levels + code];
        }
      }
    },

    rotateRows(x, rows, dim, signs, rounds, out, outRow) {
      const { f32 } = views();
      const size = 2 ** Math.floor(Math.log2(dim));
      for (let r = 0; r < rows; r++) {
        const row = f32.subarray((out >> 2) + r * outRow, (out >> 2) + (r + 1) * outRow);
        row.fill(0, dim);
        for (let j = 0; j < dim; j++) row[j] = f32[(x >> 2) + r * dim + j];
        for (let round = 0; round < rounds; round++) {
          for (let j = 0; j < dim; j++)
            if (f32[(signs >> 2) + round * dim + j] < 0) row[j] = -row[j];
          const from = round % 2 === 0 ? 0 : dim - size;
          transform(row.subarray(from, from + size));
        }
      }
    },
  };
}

/** The Hadamard transform of 2^n values, divided by the root of 2^n. */
function transform(x: Float32Array): void {
  for (let half = 1; half < x.length; half *= 2) {
    for (let j = 0; j < x.length; j++) {
      if ((j & half) !== 0) continue;
      const [a, b] = [x[j], x[j + half]];
      x[j] = a + b;
      x[j + half] = a - b;
    }
  }
  const factor = Math.fround(1 / Math.fround(Math.sqrt(x.length)));
  for (let j = 0; j < x.length; j++) x[j] *= factor;
}
