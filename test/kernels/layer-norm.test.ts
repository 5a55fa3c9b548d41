import { describe, expect, test } from 'vitest';
import { dot, numbers, relativeError, sum } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { DIMS, kinds, rowsOf, TOLERANCE } from './kernel-kinds.js';

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  const normalised = (
    row: readonly number[],
    eps: number,
  ): { values: number[]; inverse: number } => {
    const mean = sum([...row]) / row.length;
    const variance = sum(row.map((v) => (v - mean) ** 2)) / row.length;
    const inverse = 1 / Math.sqrt(variance + eps);
    return { values: row.map((v) => (v - mean) * inverse), inverse };
  };

  test('normalise rows, with and without gain and shift', () => {
    for (const n of [...DIMS, 255, 256, 257]) {
      for (const rows of [1, 3, 17]) {
        guarded.reset();
        const draw = numbers(n + rows);
        const x = block('f32', draw.floats(rows * n, 3));
        const gamma = block('f32', draw.floats(n));
        const beta = block('f32', draw.floats(n));
        const [normal, out] = [block('f32', rows * n), block('f32', rows * n)];
        const inverse = block('f32', rows);
        out.values.fill(7);
        const naive = rowsOf(x.values, rows, n).map((row) => normalised(row, 1e-5));
        kernels.layerNorm(
          x.address,
          rows,
          n,
          1e-5,
          0,
          0,
          normal.address,
          inverse.address,
          out.address,
        );
        expect(
          relativeError(
            normal.values,
            naive.flatMap((row) => row.values),
          ),
        ).toBeLessThan(TOLERANCE);
        expect(
          relativeError(
            inverse.values,
            naive.map((row) => row.inverse),
          ),
        ).toBeLessThan(TOLERANCE);
        expect(out.values.every((value) => value === 7)).toBe(true);

        kernels.layerNorm(
          x.address,
          rows,
          n,
          1e-5,
          gamma.address,
          beta.address,
          x.address,
          inverse.address,
          out.address,
        );
        const expected = naive.flatMap((row) =>
          row.values.map((v, j) => v * gamma.values[j] + beta.values[j]),
        );
        expect(relativeError(out.values, expected)).toBeLessThan(TOLERANCE);
        expect(
          relativeError(
            x.values,
            naive.flatMap((row) => row.values),
          ),
        ).toBeLessThan(TOLERANCE);
        guarded.expectGuardsIntact();
      }
    }
  });

  test('normalise a constant row to zeros', () => {
    const x = block('f32', new Float32Array(48).fill(0.3));
    const [normal, inverse] = [block('f32', 48), block('f32', 1)];
    kernels.layerNorm(
      x.address,
      1,
      48,
      1e-5,
      0,
      0,
      normal.address,
      inverse.address,
      normal.address,
    );
    for (const value of normal.values) expect(Math.abs(value)).toBeLessThan(1e-4);
  });

  test('take the gradient through the normalisation', () => {
    for (const n of [...DIMS, 17]) {
      const rows = 3;
      guarded.reset();
      const draw = numbers(n);
      const x = rowsOf(draw.floats(rows * n), rows, n);
      const gamma = block('f32', draw.floats(n));
      const dOut = block('f32', draw.floats(rows * n));
      const naive = x.map((row) => normalised(row, 1e-5));
      const normal = block(
        'f32',
        naive.flatMap((row) => row.values),
      );
      const inverse = block(
        'f32',
        naive.map((row) => row.inverse),
      );
      // central differences of sum(dOut * gamma * normalised(x))
      const expected = x.flatMap((row, r) => {
        const weights = Array.from(gamma.values, (g, j) => g * dOut.values[r * n + j]);
        const loss = (moved: number[]): number => dot(weights, normalised(moved, 1e-5).values);
        return row.map(
          (v, j) => (loss(row.with(j, v + 1e-5)) - loss(row.with(j, v - 1e-5))) / 2e-5,
        );
      });
      const dx = block('f32', rows * n);
      kernels.layerNormBackward(
        dOut.address,
        rows,
        n,
        gamma.address,
        normal.address,
        inverse.address,
        dx.address,
      );
      expect(relativeError(dx.values, expected)).toBeLessThan(1e-5);
      kernels.layerNormBackward(
        dOut.address,
        rows,
        n,
        gamma.address,
        normal.address,
        inverse.address,
        dOut.address,
      );
      expect(dOut.values).toEqual(dx.values);
      guarded.expectGuardsIntact();
    }
  });
});
