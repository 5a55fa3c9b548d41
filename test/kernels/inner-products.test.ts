import { describe, expect, test } from 'vitest';
import { packedLanes, wholePanels } from '../../src/kernels/kernels.js';
import { dot, numbers, relativeError, sum } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { DIMS, kinds, rowsOf, SIZES, TOLERANCE } from './kernel-kinds.js';

const COUNTS = [1, 2, 3, 50, 1, 2];

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  test('multiply codes of both sides, the largest included, exactly up to one rounding for each 512 dimensions', () => {
    for (const [m, n, k] of [
      [1, 1, 2],
      [2, 16, 128],
      [3, 17, 512],
      [5, 33, 514],
      [64, 20, 2048],
    ]) {
      // prettier-ignore
      for (const across of [false, true]) {
        guarded.reset();
        const draw = numbers(m * n + k);
        const a = block('i16', draw.integers(m * k, 2047));
        a.values.fill(-2047, 0, k);
        const b = block('i16', draw.integers(n * k, 2047));
        b.values.fill(-2047, 0, k);
        const panels = block('i16', wholePanels(n) * k);
        kernels.packPanelsI16(b.address, n, k, panels.address);
        const down = block('f32', draw.floats(m));
        const columns = block('f32', draw.floats(wholePanels(n)));
        const c = block('f32', m * (n + 1));
        c.values.fill(7);
        const sums = block('i32', 32);
        kernels.gemmI16(
          m,
          n,
          k,
          a.address,
          down.address,
          panels.address,
          across ? columns.address : 0,
          c.address,
          n + 1,
          sums.address,
        );
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            const sum = dot(
              a.values.subarray(i * k, (i + 1) * k),
              b.values.subarray(j * k, (j + 1) * k),
            );
            const factor = down.values[i] * (across ? columns.values[j] : 1);
            expect(Math.abs(c.values[i * (n + 1) + j] - sum * factor)).toBeLessThanOrEqual(
              2e-7 * 2047 * 2047 * k * Math.abs(factor),
            );
          }
          expect(c.values[i * (n + 1) + n]).toBe(7);
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test.each(DIMS)(
    'find the largest float32 inner products with documents of 1, 2, ' +
      '3 and 50 tokens in %d dimensions',
    (dim) => {
      for (const lanes of SIZES) {
        guarded.reset();
        const draw = numbers(dim * 1000 + lanes);
        const x = block('f32', draw.floats(lanes * dim));
        const tokens = block('f32', draw.floats(sum(COUNTS) * dim));
        const counts = block('i32', COUNTS);
        const panels = block('f32', packedLanes(lanes) * dim);
        kernels.packLanesF32(x.address, lanes, dim, panels.address);
        const stride = COUNTS.length + 3;
        const out = block('f32', (lanes - 1) * stride + COUNTS.length);
        out.values.fill(7);
        kernels.maxDotsF32(
          panels.address,
          lanes,
          dim,
          tokens.address,
          counts.address,
          COUNTS.length,
          out.address,
          stride,
          block('f32', 16).address,
        );
        const expected = naiveMaxDots(x.values, lanes, dim, tokens.values);
        expect(
          relativeError(rowsOf(out.values, lanes, COUNTS.length, stride).flat(), expected),
        ).toBeLessThan(TOLERANCE);
        out.values.forEach((value, i) => {
          if (i % stride >= COUNTS.length) expect(value).toBe(7);
        });
        guarded.expectGuardsIntact();
      }
    },
  );

  test.each(DIMS)('find the largest integer inner products exactly in %d dimensions', (dim) => {
    const even = dim + (dim % 2);
    for (const lanes of SIZES) {
      guarded.reset();
      const draw = numbers(dim * 1000 + lanes);
      const drawn = draw.integers(lanes * dim, 4095);
      const x = block(
        'i16',
        Array.from({ length: lanes * even }, (_, i) =>
          i % even < dim ? drawn[Math.floor(i / even) * dim + (i % even)] : 0,
        ),
      );
      const tokens = block('i8', draw.integers(sum(COUNTS) * dim, 127));
      const counts = block('i32', COUNTS);
      const panels = block('i16', packedLanes(lanes) * even);
      const wide = block('i16', sum(COUNTS) * even);
      kernels.packLanesI16(x.address, lanes, even, panels.address);
      kernels.widenI8(tokens.address, sum(COUNTS), dim, wide.address);
      const stride = COUNTS.length + 1;
      const out = block('f32', (lanes - 1) * stride + COUNTS.length);
      out.values.fill(7);
      kernels.maxDotsI16(
        panels.address,
        lanes,
        even,
        wide.address,
        counts.address,
        COUNTS.length,
        out.address,
        stride,
        block('f32', 16).address,
      );
      // sums are exact in int32; the result is their float32
      const expected = naiveMaxDots(drawn, lanes, dim, tokens.values).map(Math.fround);
      expect(rowsOf(out.values, lanes, COUNTS.length, stride).flat()).toEqual(expected);
      guarded.expectGuardsIntact();
    }
  });

  test('give the largest inner product when all are far below zero', () => {
    const lanes = 17;
    const panels = block('f32', packedLanes(lanes));
    const x = block('f32', new Array(lanes).fill(1e4));
    kernels.packLanesF32(x.address, lanes, 1, panels.address);
    const tokens = block('f32', [-3e4, -2e4, -5e4]);
    const counts = block('i32', [3]);
    const out = block('f32', lanes);
    kernels.maxDotsF32(
      panels.address,
      lanes,
      1,
      tokens.address,
      counts.address,
      1,
      out.address,
      1,
      block('f32', 16).address,
    );
    expect([...out.values]).toEqual(new Array(lanes).fill(-2e8));
  });

  test('give a lane the same float32 products whatever lanes are beside it', () => {
    const dim = 37;
    const x = block('f32', numbers(5).floats(29 * dim));
    const tokens = block('f32', numbers(6).floats(sum(COUNTS) * dim));
    const counts = block('i32', COUNTS);
    const best = block('f32', 16);
    const products = (first: number, lanes: number): number[][] => {
      const panels = block('f32', packedLanes(lanes) * dim);
      const out = block('f32', lanes * COUNTS.length);
      kernels.packLanesF32(x.address + first * dim * 4, lanes, dim, panels.address);
      kernels.maxDotsF32(
        panels.address,
        lanes,
        dim,
        tokens.address,
        counts.address,
        COUNTS.length,
        out.address,
        COUNTS.length,
        best.address,
      );
      return rowsOf(out.values, lanes, COUNTS.length);
    };
    const all = products(0, 29);
    for (const lanes of [1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 24, 28])
      expect(products(29 - lanes, lanes)).toEqual(all.slice(29 - lanes));
  });

  test('scan rows for one query, int8 exactly', () => {
    for (const dim of [...DIMS, ...SIZES]) {
      for (const count of [1, 6, 17, 19]) {
        guarded.reset();
        const draw = numbers(dim * 20 + count);
        const q = block('f32', draw.floats(dim));
        const rows = block('f32', draw.floats(count * dim));
        const out = block('f32', count);
        kernels.scanF32(q.address, rows.address, count, dim, out.address);
        expect(
          relativeError(
            out.values,
            rowsOf(rows.values, count, dim).map((row) => dot(row, q.values)),
          ),
        ).toBeLessThan(1e-5);

        const q16 = block('i16', draw.integers(dim, 4095));
        const rows8 = block('i8', draw.integers(count * dim, 127));
        const dots = block('f32', count);
        kernels.scanI8(q16.address, rows8.address, count, dim, dots.address);
        expect([...dots.values]).toEqual(
          rowsOf(rows8.values, count, dim).map((row) => Math.fround(dot(row, q16.values))),
        );
        guarded.expectGuardsIntact();
      }
    }
  });
});

function naiveMaxDots(
  x: ArrayLike<number>,
  lanes: number,
  dim: number,
  tokens: ArrayLike<number>,
): number[] {
  const out: number[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    let token = 0;
    for (const count of COUNTS) {
      let best = -Infinity;
      for (const end = token + count; token < end; token++) {
        let product = 0;
        for (let k = 0; k < dim; k++) product += x[lane * dim + k] * tokens[token * dim + k];
        best = Math.max(best, product);
      }
      out.push(best);
    }
  }
  return out;
}
