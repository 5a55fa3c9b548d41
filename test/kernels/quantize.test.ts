import { describe, expect, test } from 'vitest';
import { numbers } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { DIMS, evenOf, kinds } from './kernel-kinds.js';

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  /**
   * Codes are the nearest, ties to the even one, of values of which the largest becomes `limit`.
   */
  const expectCodes = (
    codes: Int16Array,
    factor: number,
    values: number[],
    limit: number,
  ): void => {
    const largest = Math.max(...values.map(Math.abs));
    expect(factor).toBe(Math.fround(largest / limit));
    for (const [k, value] of values.entries()) {
      expect(Math.abs(codes[k] * factor - value)).toBeLessThanOrEqual(factor * 0.501);
      if (Math.abs(value) === largest && largest > 0) expect(Math.abs(codes[k])).toBe(limit);
      if (largest === 0) expect(codes[k]).toBe(0);
    }
    expect([...codes.subarray(values.length)]).toEqual(
      new Array(codes.length - values.length).fill(0),
    );
  };

  test.each([4095, 2047])(
    'quantise each row by a factor of its own to codes of at most %d, zero rows to zero',
    (limit) => {
      for (const dim of DIMS) {
        for (const scaled of [false, true]) {
          guarded.reset();
          const rows = 5;
          const x = block('f32', numbers(dim).floats(rows * dim));
          x.values.fill(0, 2 * dim, 3 * dim);
          const columns = block('f32', numbers(dim + 1).floats(dim));
          const out = block('i16', rows * evenOf(dim));
          out.values.fill(9);
          const factors = block('f32', rows);
          kernels.quantizeRowsI16(
            x.address,
            rows,
            dim,
            limit,
            scaled ? columns.address : 0,
            out.address,
            factors.address,
          );
          for (let r = 0; r < rows; r++) {
            const row = Array.from({ length: dim }, (_, k) =>
              Math.fround(x.values[r * dim + k] * (scaled ? columns.values[k] : 1)),
            );
            expectCodes(
              out.values.subarray(r * evenOf(dim), (r + 1) * evenOf(dim)),
              factors.values[r],
              row,
              limit,
            );
          }
          guarded.expectGuardsIntact();
        }
      }
    },
  );

  test('quantise rows and columns of any size that float32 has, and take for zero what has no products in it', () => {
    for (const dim of [7, 16]) {
      for (const [size, vanishes] of [
        [1e38, false],
        [1e15, false],
        [1e-15, false],
        [1e-32, false],
        [1e-35, true],
        [1e-40, true],
      ] as const) {
        guarded.reset();
        const x = block(
          'f32',
          numbers(dim)
            .floats(dim * dim)
            .map((value) => value * size),
        );
        x.values[3] = size;
        const [out, columns] = [block('i16', dim * evenOf(dim)), block('i16', dim * evenOf(dim))];
        const [factors, columnFactors, ones] = [
          block('f32', dim),
          block('f32', dim),
          block('f32', dim),
        ];
        ones.values.fill(1);
        kernels.quantizeRowsI16(x.address, dim, dim, 4095, 0, out.address, factors.address);
        kernels.quantizeColumnsI16(
          x.address,
          dim,
          dim,
          dim,
          ones.address,
          2047,
          columns.address,
          columnFactors.address,
        );
        for (let i = 0; i < dim; i++) {
          const row = [...x.values.subarray(i * dim, (i + 1) * dim)];
          const column = Array.from({ length: dim }, (_, r) => x.values[r * dim + i]);
          const zero = (values: number[]): number[] => (vanishes ? values.map(() => 0) : values);
          expectCodes(
            out.values.subarray(i * evenOf(dim), (i + 1) * evenOf(dim)),
            factors.values[i],
            zero(row),
            4095,
          );
          expectCodes(
            columns.values.subarray(i * evenOf(dim), (i + 1) * evenOf(dim)),
            columnFactors.values[i],
            zero(column),
            2047,
          );
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test('quantise each column of scaled rows by a factor of its own, zero columns to zero', () => {
    for (const [rows, n] of [
      [1, 1],
      [2, 4],
      [5, 7],
      [16, 3],
      [17, 18],
      [64, 12],
    ]) {
      // prettier-ignore
      guarded.reset();
      const stride = n + 3;
      const x = block('f32', numbers(rows * n).floats(rows * stride));
      for (let r = 0; r < rows; r++) x.values[r * stride + Math.floor(n / 2)] = 0;
      const down = block('f32', numbers(n).floats(rows));
      const out = block('i16', n * evenOf(rows));
      out.values.fill(9);
      const factors = block('f32', n);
      kernels.quantizeColumnsI16(
        x.address,
        rows,
        n,
        stride,
        down.address,
        2047,
        out.address,
        factors.address,
      );
      for (let j = 0; j < n; j++) {
        const column = Array.from({ length: rows }, (_, r) =>
          Math.fround(x.values[r * stride + j] * down.values[r]),
        );
        expectCodes(
          out.values.subarray(j * evenOf(rows), (j + 1) * evenOf(rows)),
          factors.values[j],
          column,
          2047,
        );
      }
      guarded.expectGuardsIntact();
    }
  });

  test('round float32 to int8 by one scale, ties to the even code, within -127 .. 127, and find the largest absolute value', () => {
    for (const n of [1, 7, 16, 17, 100]) {
      guarded.reset();
      const x = block('f32', [0.5, -1.5, 2.5, 200, -200, ...numbers(n).floats(n, 150)].slice(0, n));
      const out = block('i8', n);
      kernels.quantizeI8(x.address, n, 1, out.address);
      for (const [i, value] of x.values.entries()) {
        expect(Math.abs(out.values[i] - Math.max(-127, Math.min(127, value)))).toBeLessThanOrEqual(
          0.5,
        );
        if (i < 5) expect(out.values[i]).toBe([0, -2, 2, 127, -127][i]);
      }
      expect(kernels.largestAbs(x.address, n)).toBe(Math.max(...x.values.map(Math.abs)));
      guarded.expectGuardsIntact();
    }
  });

  test('make values of codes by a factor for the row and one for the column, shifted by the row, and touch nothing between the rows', () => {
    guarded.reset();
    const [rows, columns, stride] = [7, 5, 9];
    const x = block('f32', numbers(1).floats((rows - 1) * stride + columns));
    const before = x.values.slice();
    const [down, across] = [
      block('f32', numbers(2).floats(rows)),
      block('f32', numbers(3).floats(columns)),
    ];
    const shifts = block('f32', numbers(4).floats(rows));
    kernels.dequantise(
      x.address,
      rows,
      columns,
      stride,
      down.address,
      across.address,
      shifts.address,
    );
    x.values.forEach((value, i) => {
      const [r, c] = [Math.floor(i / stride), i % stride];
      expect(value).toBeCloseTo(
        c < columns ? before[i] * down.values[r] * across.values[c] + shifts.values[r] : before[i],
        6,
      );
    });
    guarded.expectGuardsIntact();
  });
});
