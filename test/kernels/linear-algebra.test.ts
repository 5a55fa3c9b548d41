import { describe, expect, test } from 'vitest';
import { dot, numbers, relativeError, sum } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { DIMS, kinds, rowsOf, SIZES, TOLERANCE } from './kernel-kinds.js';

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  const shapes = [
    ...SIZES.map((m) => [m, 17, 48]),
    ...SIZES.map((n) => [3, n, 257]),
    ...SIZES.map((k) => [17, 18, k]),
    ...DIMS.map((k) => [5, 33, k]),
    [64, 33, 512],
    [18, 257, 257],
  ];
  test.each(['neither', 'left', 'right', 'both'])(
    'multiply float32 matrices, transposed: %s',
    (transposed) => {
      for (const [m, n, k] of shapes) {
        for (const accumulate of [0, 1]) {
          guarded.reset();
          const draw = numbers(m * 7 + n * 11 + k);
          const a = block('f32', draw.floats(m * k));
          const b = block('f32', draw.floats(k * n));
          const cRow = n + 2;
          const before = withGaps(draw.floats((m - 1) * cRow + n), cRow, n);
          const c = block('f32', before);
          const scratch = block('f32', (m + 18) * 256);
          const [aRow, aCol] = transposed === 'left' || transposed === 'both' ? [1, m] : [k, 1];
          const [bRow, bCol] = transposed === 'right' || transposed === 'both' ? [1, k] : [n, 1];
          kernels.gemmF32(
            m,
            n,
            k,
            a.address,
            aRow,
            aCol,
            b.address,
            bRow,
            bCol,
            c.address,
            cRow,
            accumulate,
            scratch.address,
          );
          const expected = new Float64Array(before);
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              let total = accumulate ? before[i * cRow + j] : 0;
              for (let l = 0; l < k; l++)
                total += a.values[i * aRow + l * aCol] * b.values[l * bRow + j * bCol];
              expected[i * cRow + j] = total;
            }
          }
          expect(relativeError(c.values, expected)).toBeLessThan(TOLERANCE);
          expectGapsIntact(c.values, cRow, n);
          guarded.expectGuardsIntact();
        }
      }
    },
  );

  test('add A^T B to a float64 matrix', () => {
    for (const [m, n, k] of [
      ...SIZES.map((m) => [m, 9, 130]),
      ...SIZES.map((n) => [3, n, 40]),
      ...SIZES.map((k) => [18, 10, k]),
    ]) {
      guarded.reset();
      const draw = numbers(m * 7 + n * 11 + k);
      const [aRow, bRow, cRow] = [m + 3, n + 1, n + 2];
      const a = block('f32', draw.floats((k - 1) * aRow + m));
      const b = block('f32', draw.floats((k - 1) * bRow + n));
      const before = withGaps(Float64Array.from(draw.floats((m - 1) * cRow + n)), cRow, n);
      const c = block('f64', before);
      const scratch = block('f64', (m + 10) * 128);
      kernels.outerF64(m, n, k, a.address, aRow, b.address, bRow, c.address, cRow, scratch.address);
      const expected = before.slice();
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++)
          for (let l = 0; l < k; l++)
            expected[i * cRow + j] += a.values[l * aRow + i] * b.values[l * bRow + j];
      }
      expect(relativeError(c.values, expected)).toBeLessThan(1e-14);
      expectGapsIntact(c.values, cRow, n);
      guarded.expectGuardsIntact();
    }
  });

  test('add float32 to float64', () => {
    for (const n of SIZES) {
      guarded.reset();
      const draw = numbers(n);
      const before = Float64Array.from(draw.floats(n), (value) => value / 3);
      const c = block('f64', before);
      const x = block('f32', draw.floats(n));
      kernels.addToF64(c.address, x.address, n);
      c.values.forEach((value, i) => {
        expect(value).toBe(before[i] + x.values[i]);
      });
      guarded.expectGuardsIntact();
    }
  });

  test('factor a positive definite matrix, and solve with the factor for 16 right-hand sides', () => {
    for (const n of SIZES) {
      guarded.reset();
      const draw = numbers(n);
      const basis = rowsOf(draw.floats(n * (n + 5)), n, n + 5);
      const matrix = basis.map((x) => basis.map((y) => dot(x, y)));
      const a = block('f64', matrix.flat());
      const smallest = kernels.choleskyF64(a.address, n);
      const l = rowsOf(a.values, n, n).map((row, i) => row.map((v, j) => (j <= i ? v : 0)));
      const product = l.map((x) => l.map((y) => dot(x, y)));
      expect(relativeError(product.flat(), matrix.flat())).toBeLessThan(1e-13);
      // a pivot is the square of the factor's diagonal
      expect(smallest).toBeCloseTo(Math.min(...l.map((row, i) => row[i] ** 2 / matrix[i][i])), 10);

      const xRow = 19;
      const right = Float64Array.from(draw.floats((n - 1) * xRow + 16));
      const x = block('f64', right);
      kernels.choleskySolve16(a.address, n, x.address, xRow);
      const solution = rowsOf(x.values, n, 16, xRow);
      const back = matrix.map((row) =>
        Array.from({ length: 16 }, (_, lane) => sum(row.map((v, j) => v * solution[j][lane]))),
      );
      expect(relativeError(back.flat(), rowsOf(right, n, 16, xRow).flat())).toBeLessThan(1e-9);
      x.values.forEach((value, i) => {
        if (i % xRow >= 16) expect(value).toBe(right[i]);
      });
      guarded.expectGuardsIntact();
    }
  });

  test('say so when a matrix has no factor', () => {
    const indefinite = block('f64', [1, 0, 0, 2, 1, 0, 0, 0, 1]);
    expect(kernels.choleskyF64(indefinite.address, 3)).toBeLessThanOrEqual(0);
    const zero = block('f64', [0, 0, 0, 0]);
    expect(kernels.choleskyF64(zero.address, 2)).toBe(0);
    const singular = block('f64', [1, 0, 0, 1, 1, 0, 1, 1, 1]);
    expect(kernels.choleskyF64(singular.address, 3)).toBeLessThan(1e-12);
  });

  test('multiply value by value', () => {
    for (const n of SIZES) {
      guarded.reset();
      const [x, y] = [block('f32', numbers(n).floats(n)), block('f32', numbers(n + 1).floats(n))];
      const expected = Array.from(x.values, (v, i) => Math.fround(v * y.values[i]));
      kernels.multiply(x.address, y.address, n);
      expect([...x.values]).toEqual(expected);
      guarded.expectGuardsIntact();
    }
  });
});

/** Puts -0 between the rows: even adding 0 to it would show. */
function withGaps<T extends Float32Array | Float64Array>(values: T, stride: number, n: number): T {
  for (let i = 0; i < values.length; i++) if (i % stride >= n) values[i] = -0;
  return values;
}

function expectGapsIntact(values: Float32Array | Float64Array, stride: number, n: number): void {
  expect(values.every((value, i) => i % stride < n || Object.is(value, -0))).toBe(true);
}
