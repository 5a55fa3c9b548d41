import { describe, expect, test } from 'vitest';
import { dot, numbers, relativeError, sum } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { kinds, SIZES, TOLERANCE } from './kernel-kinds.js';

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  test('sum rows and products of rows, add a bias, standardise', () => {
    for (const n of [...SIZES, 48]) {
      for (const rows of [1, 2, 3, 50, 257]) {
        guarded.reset();
        const draw = numbers(n * 300 + rows);
        const stride = n + 3;
        const x = block('f32', draw.floats((rows - 1) * stride + n));
        const y = block('f32', draw.floats(x.values.length));
        const before = draw.floats(n);
        const out = block('f32', before);
        const column = (j: number, value: (at: number) => number): number =>
          sum(Array.from({ length: rows }, (_, r) => value(r * stride + j)));
        kernels.sumRows(x.address, rows, n, stride, 1, out.address);
        const sums = Array.from({ length: n }, (_, j) => column(j, (at) => x.values[at]));
        expect(
          relativeError(
            out.values,
            sums.map((v, j) => v + before[j]),
          ),
        ).toBeLessThan(1e-5);
        kernels.sumRows(x.address, rows, n, stride, 0, out.address);
        expect(relativeError(out.values, sums)).toBeLessThan(1e-5);
        kernels.sumProducts(x.address, y.address, rows, n, stride, out.address);
        const products = Array.from({ length: n }, (_, j) =>
          column(j, (at) => x.values[at] * y.values[at]),
        );
        expect(relativeError(out.values, products)).toBeLessThan(1e-5);

        const dense = block('f32', draw.floats(rows * n));
        const bias = block('f32', before);
        const biased = Array.from(dense.values, (v, i) => v + before[i % n]);
        kernels.addBias(dense.address, rows, n, bias.address);
        expect(relativeError(dense.values, biased)).toBeLessThan(TOLERANCE);
        const shifted = Array.from(dense.values, (v) => (v - 0.4) * 5.1);
        kernels.standardise(dense.address, rows * n, 0.4, 5.1);
        expect(relativeError(dense.values, shifted)).toBeLessThan(TOLERANCE);
        guarded.expectGuardsIntact();
      }
    }
  });

  test('sum squares and squared errors, whose gradients take the place of the predictions', () => {
    for (const n of [...SIZES, 1023]) {
      guarded.reset();
      const draw = numbers(n);
      const prediction = block('f32', draw.floats(n));
      const target = block('f32', draw.floats(n));
      expect(
        relativeError([kernels.sumSquares(target.address, n)], [dot(target.values, target.values)]),
      ).toBeLessThan(1e-12);
      const difference = Array.from(prediction.values, (p, i) => p - target.values[i]);
      const total = kernels.squaredError(prediction.address, target.address, n, 0.01);
      expect(relativeError([total], [dot(difference, difference)])).toBeLessThan(TOLERANCE);
      expect(
        relativeError(
          prediction.values,
          difference.map((d) => d * 0.01),
        ),
      ).toBeLessThan(TOLERANCE);
      guarded.expectGuardsIntact();
    }
  });

  test('take steps of Adam', () => {
    for (const n of SIZES) {
      guarded.reset();
      const draw = numbers(n);
      const p = block('f32', draw.floats(n));
      const [m, v] = [block('f32', n), block('f32', n)];
      const g = block('f32', n);
      const [beta1, beta2, eps, lr, gradScale] = [0.9, 0.999, 1e-8, 3e-3, 0.7];
      const expected = {
        p: Float64Array.from(p.values),
        m: new Float64Array(n),
        v: new Float64Array(n),
      };
      for (let step = 1; step <= 5; step++) {
        g.values.set(draw.floats(n));
        kernels.adam(
          p.address,
          g.address,
          m.address,
          v.address,
          n,
          gradScale,
          lr / (1 - beta1 ** step),
          beta1,
          beta2,
          Math.sqrt(1 - beta2 ** step),
          eps,
        );
        for (let i = 0; i < n; i++) {
          const grad = g.values[i] * gradScale;
          expected.m[i] = beta1 * expected.m[i] + (1 - beta1) * grad;
          expected.v[i] = beta2 * expected.v[i] + (1 - beta2) * grad * grad;
          const [mean, square] = [
            expected.m[i] / (1 - beta1 ** step),
            expected.v[i] / (1 - beta2 ** step),
          ];
          expected.p[i] -= (lr * mean) / (Math.sqrt(square) + eps);
        }
      }
      expect(relativeError(p.values, expected.p)).toBeLessThan(TOLERANCE);
      expect(relativeError(m.values, expected.m)).toBeLessThan(TOLERANCE);
      // 1 - beta2 is a small difference, taken in float32 by the fast kernels
      expect(relativeError(v.values, expected.v)).toBeLessThan(2e-5);
      guarded.expectGuardsIntact();
    }
  });
});
