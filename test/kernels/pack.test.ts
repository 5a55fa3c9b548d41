import { describe, expect, test } from 'vitest';
import { packedLanes, wholePanels } from '../../src/kernels/kernels.js';
import { numbers } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { DIMS, evenOf, kinds, SIZES } from './kernel-kinds.js';

/** Place of value k of a lane in panels of pairs of `dim` values. */
const pairAt = (lane: number, k: number, dim: number): number =>
  (lane >> 4) * 16 * dim + (k >> 1) * 32 + (lane & 15) * 2 + (k & 1);

/** Each lane with the first lane of its panel and the panel's width: 16 first, then 8, then 4. */
function panelLanes(rows: number): { lane: number; first: number; width: number }[] {
  const whole = rows % 16 > 12 ? wholePanels(rows) : rows - (rows % 16);
  const eight = packedLanes(rows) - whole >= 8 ? 8 : 0;
  return Array.from({ length: packedLanes(rows) }, (_, lane) => {
    if (lane < whole) return { lane, first: lane - (lane % 16), width: 16 };
    return lane < whole + eight
      ? { lane, first: whole, width: 8 }
      : { lane, first: whole + eight, width: 4 };
  });
}

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  test('pack float32 rows into panels of 16, 8 and 4 lanes, missing lanes zero', () => {
    for (const [i, rows] of [...SIZES, 4, 5, 8, 9, 12, 13, 20, 28].entries()) {
      guarded.reset();
      const dim = DIMS[i % DIMS.length];
      const x = block('f32', numbers(rows).floats(rows * dim));
      const out = block('f32', packedLanes(rows) * dim);
      out.values.fill(9);
      kernels.packLanesF32(x.address, rows, dim, out.address);
      for (const { lane, first, width } of panelLanes(rows)) {
        const packed = Array.from(
          { length: dim },
          (_, k) => out.values[first * dim + k * width + lane - first],
        );
        expect(packed).toEqual(
          lane < rows
            ? [...x.values.subarray(lane * dim, (lane + 1) * dim)]
            : new Array(dim).fill(0),
        );
      }
      guarded.expectGuardsIntact();
    }
  });

  test('pack int16 rows into panels of pairs of 16, 8 and 4 lanes, missing lanes zero', () => {
    for (const rows of [1, 5, 8, 11, 13, 16, 17]) {
      for (const dim of DIMS.map(evenOf)) {
        guarded.reset();
        const x = block('i16', numbers(rows).integers(rows * dim, 4095));
        const out = block('i16', packedLanes(rows) * dim);
        out.values.fill(9);
        kernels.packLanesI16(x.address, rows, dim, out.address);
        for (const { lane, first, width } of panelLanes(rows)) {
          const packed = Array.from(
            { length: dim },
            (_, k) => out.values[first * dim + (k >> 1) * 2 * width + 2 * (lane - first) + (k & 1)],
          );
          expect(packed).toEqual(
            lane < rows
              ? [...x.values.subarray(lane * dim, (lane + 1) * dim)]
              : new Array<number>(dim).fill(0),
          );
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test('pack int16 rows into whole panels of pairs, missing lanes zero', () => {
    for (const rows of [1, 15, 16, 17]) {
      for (const dim of DIMS.map(evenOf)) {
        guarded.reset();
        const x = block('i16', numbers(rows).integers(rows * dim, 4095));
        const out = block('i16', wholePanels(rows) * dim);
        out.values.fill(9);
        kernels.packPanelsI16(x.address, rows, dim, out.address);
        for (let lane = 0; lane < wholePanels(rows); lane++) {
          const packed = Array.from({ length: dim }, (_, k) => out.values[pairAt(lane, k, dim)]);
          expect(packed).toEqual(
            lane < rows
              ? [...x.values.subarray(lane * dim, (lane + 1) * dim)]
              : new Array<number>(dim).fill(0),
          );
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test('pack pairs of int16 rows into panels of columns, a missing row or column zero, other rows untouched', () => {
    for (const rows of [1, 2, 15, 16]) {
      for (const n of [1, 7, 16, 17, 48, 129]) {
        guarded.reset();
        const x = block('i16', numbers(rows * n).integers(rows * evenOf(n), 4095));
        const height = evenOf(rows) + 4;
        const out = block('i16', wholePanels(n) * height);
        out.values.fill(9);
        kernels.packPairsI16(x.address, rows, n, out.address, height);
        for (let j = 0; j < wholePanels(n); j++) {
          const packed = Array.from({ length: height }, (_, r) => out.values[pairAt(j, r, height)]);
          const expected = packed.map((_, r) => {
            if (r >= evenOf(rows)) return 9;
            return r < rows && j < n ? x.values[r * evenOf(n) + j] : 0;
          });
          expect(packed).toEqual(expected);
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test('widen int8 rows to int16 rows of even length', () => {
    for (const dim of DIMS) {
      guarded.reset();
      const even = dim + (dim % 2);
      const x = block(
        'i8',
        [-128, 127, ...numbers(dim).integers(17 * dim - 2, 128)].slice(0, 17 * dim),
      );
      const out = block('i16', 17 * even);
      out.values.fill(9);
      kernels.widenI8(x.address, 17, dim, out.address);
      for (let r = 0; r < 17; r++) {
        const row = [...x.values.subarray(r * dim, (r + 1) * dim)];
        expect([...out.values.subarray(r * even, (r + 1) * even)]).toEqual(
          even > dim ? [...row, 0] : row,
        );
      }
      guarded.expectGuardsIntact();
    }
  });
});
