import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { symmetricEigen, symmetricEigenAsync } from '../../src/linalg/symmetric-eigen.js';

/** Uniform in [-0.5, 0.5), the same at every run. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

function randomSymmetric(n: number, seed: number): Float64Array {
  const next = generator(seed);
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = next();
  return a;
}

/**
 * Checks A v = lambda v, orthonormal vectors, the order and the signs; errors relative to the
 * largest magnitude in A.
 */
function validate(a: Float64Array, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(a, n);
  const size = a.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  const tolerance = 1e-14 * n;
  let wrongImage = 0;
  let wrongProduct = 0;
  for (let k = 0; k < n; k++) {
    const v = vectors.subarray(k * n, (k + 1) * n);
    if (k > 0) expect(values[k]).toBeLessThanOrEqual(values[k - 1]);
    for (let i = 0; i < n; i++) {
      let image = 0;
      for (let j = 0; j < n; j++) image += a[i * n + j] * v[j];
      wrongImage = Math.max(wrongImage, Math.abs(image - values[k] * v[i]));
    }
    for (let l = 0; l <= k; l++) {
      let product = 0;
      for (let j = 0; j < n; j++) product += v[j] * vectors[l * n + j];
      wrongProduct = Math.max(wrongProduct, Math.abs(product - (l === k ? 1 : 0)));
    }
    expect(Math.max(...v)).toBe(Math.max(...v.map(Math.abs)));
  }
  expect(wrongImage).toBeLessThanOrEqual(tolerance * size);
  expect(wrongProduct).toBeLessThanOrEqual(tolerance);
  return values;
}

describe('eigenvalues and eigenvectors', () => {
  test('agree with numpy', () => {
    const { matrix, values, vectors } = JSON.parse(
      readFileSync(new URL('../fixtures/symmetric-eigen.json', import.meta.url), 'utf8'),
    );
    const got = symmetricEigen(Float64Array.from(matrix.flat()), 6);
    for (let k = 0; k < 6; k++) {
      expect(got.values[k]).toBeCloseTo(values[k], 12);
      for (let i = 0; i < 6; i++) expect(got.vectors[k * 6 + i]).toBeCloseTo(vectors[k][i], 12);
    }
  });

  test('solve their equation for random matrices of many sizes', () => {
    for (const n of [1, 2, 3, 4, 5, 17, 64, 130]) validate(randomSymmetric(n, n), n);
  });

  test('solve it for small integers, with their many zeros and repeated values', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 28, maxLength: 28 }),
        (n, entries) => {
          const a = new Float64Array(n * n);
          for (let i = 0, at = 0; i < n; i++)
            for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = entries[at++];
          validate(a, n);
        },
      ),
    );
  });

  test('come exactly for diagonal matrices, zero and one by one', () => {
    const diagonal = Float64Array.from([3, 0, 0, 0, -7, 0, 0, 0, 5]);
    expect(symmetricEigen(diagonal, 3)).toEqual({
      values: Float64Array.of(5, 3, -7),
      vectors: Float64Array.of(0, 0, 1, 1, 0, 0, 0, 1, 0),
    });
    expect([...symmetricEigen(new Float64Array(16), 4).values]).toEqual([0, 0, 0, 0]);
    expect(symmetricEigen(Float64Array.of(-2), 1)).toEqual({
      values: Float64Array.of(-2),
      vectors: Float64Array.of(1),
    });
  });

  test('hold for a singular moment matrix of rank 3, whose other values are zero', () => {
    const n = 40;
    const next = generator(5);
    const rows = Array.from({ length: 3 }, () => Float64Array.from({ length: n }, next));
    const a = new Float64Array(n * n);
    for (const row of rows)
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] += row[i] * row[j];
    const values = validate(a, n);
    expect(values[2]).toBeGreaterThan(0.1);
    for (const value of values.subarray(3)) expect(Math.abs(value)).toBeLessThan(1e-13);
  });

  test.each([
    ['as many rows as a short text has tokens', 150, 26, 1, (x: number) => x],
    ['nearly as many rows as dimensions', 150, 120, 1, (x: number) => x],
    [
      'rows of unit length in float32',
      160,
      60,
      1,
      (x: number) => Math.fround(x / Math.sqrt(160 / 12)),
    ],
    ['rows that are nearly the same', 150, 40, 1, (x: number) => 1 + 0.01 * x],
    ['rows that come again and again', 130, 5, 30, (x: number) => x],
    ['rows with few values', 150, 30, 1, (x: number) => Math.round(1.2 * x)],
    ['rows that become ever smaller', 150, 40, 1, (x: number, row: number) => x * 2 ** -row],
  ])('hold for fewer different rows than dimensions: %s', (_name, n, rows, times, value) => {
    const next = generator(rows);
    const a = new Float64Array(n * n);
    for (let row = 0; row < rows; row++) {
      const x = Float64Array.from({ length: n }, () => value(next(), row));
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] += times * x[i] * x[j];
    }
    const values = validate(a, n);
    for (const small of values.subarray(rows))
      expect(Math.abs(small)).toBeLessThan(1e-13 * values[0]);
  });

  test('scale with the matrix, near the limits of float64 too', () => {
    const a = randomSymmetric(9, 3);
    const { values, vectors } = symmetricEigen(a, 9);
    for (const factor of [2 ** 900, 2 ** -900]) {
      const scaled = symmetricEigen(
        a.map((x) => x * factor),
        9,
      );
      for (let k = 0; k < 9; k++) expect(scaled.values[k] / factor).toBeCloseTo(values[k], 12);
      for (let i = 0; i < 81; i++) expect(scaled.vectors[i]).toBeCloseTo(vectors[i], 12);
    }
  });

  test('read the lower triangle alone and leave the matrix as it is', () => {
    const a = randomSymmetric(8, 2);
    const lower = a.map((x, at) => (at % 8 > Math.floor(at / 8) ? Number.NaN : x));
    const before = lower.slice();
    expect(symmetricEigen(lower, 8)).toEqual(symmetricEigen(a, 8));
    expect(lower).toEqual(before);
  });

  test('are the same bytes at every run, in slices too', async () => {
    const a = randomSymmetric(60, 8);
    const once = symmetricEigen(a, 60);
    expect(await symmetricEigenAsync(a, 60)).toEqual(once);
    // a change here is a change of every result that was stored
    const bits = new BigUint64Array(once.vectors.buffer).reduce(
      (hash, x) => ((hash ^ x) * 0x100000001b3n) & 0xffffffffffffffffn,
      0xcbf29ce484222325n,
    );
    expect(bits.toString(16)).toMatchInlineSnapshot(`"a3722b7d3a37fe41"`);
  });
});

test('what is not a finite square matrix is refused', async () => {
  expect(() => symmetricEigen(new Float64Array(5), 2)).toThrow('5 values, expected 2 x 2 = 4');
  expect(() => symmetricEigen(new Float64Array(0), 0)).toThrow('n of 0');
  expect(() => symmetricEigen(Float64Array.of(1, 2, Number.NaN, 1), 2)).toThrow(
    'value NaN in row 1, column 0',
  );
  await expect(
    symmetricEigenAsync(new Float64Array(4), 2, { signal: AbortSignal.abort(new Error('enough')) }),
  ).rejects.toThrow('enough');
});
