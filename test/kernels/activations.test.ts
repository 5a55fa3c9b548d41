import { describe, expect, test } from 'vitest';
import { ACTIVATIONS, type Activation } from '../../src/kernels/kernels.js';
import { numbers, relativeError } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { kinds, SIZES, TOLERANCE } from './kernel-kinds.js';

/** erf x = 2 / sqrt(pi) e^-x^2 sum of 2^n x^(2n+1) / (1 3 5 .. (2n+1)): all terms of one sign. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

const formulas: Record<Activation, (x: number) => number> = {
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  mish: (x) => x * Math.tanh(x > 30 ? x : Math.log1p(Math.exp(x))),
};

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  describe.each(ACTIVATIONS)('%s', (activation) => {
    const kind = ACTIVATIONS.indexOf(activation);
    const f = formulas[activation];
    const whole = (n: number): number => Math.ceil(n / 4) * 4;
    const slope = (x: number): number => {
      if (activation === 'relu') return x > 0 ? 1 : 0;
      return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;
    };

    test('is its formula', () => {
      for (const n of SIZES) {
        guarded.reset();
        const x = block('f32', numbers(n).floats(whole(n), 6));
        const out = block('f32', whole(n));
        kernels.activation(kind, x.address, n, out.address, 0);
        expect(
          relativeError(out.values.subarray(0, n), Array.from(x.values.subarray(0, n), f)),
        ).toBeLessThan(TOLERANCE);
        guarded.expectGuardsIntact();
      }
    });

    test('may overwrite its input', () => {
      const values = numbers(5).floats(32, 3);
      const x = block('f32', values);
      kernels.activation(kind, x.address, 32, x.address, 0);
      expect(relativeError(x.values, Array.from(values, f))).toBeLessThan(TOLERANCE);
      const again = block('f32', values);
      const out = block('f32', 32);
      kernels.activation(kind, again.address, 32, out.address, again.address);
      expect(relativeError(out.values, Array.from(values, f))).toBeLessThan(TOLERANCE);
      expect(relativeError(again.values, Array.from(values, slope))).toBeLessThan(1e-5);
    });

    test('has the slope of its formula', () => {
      for (const n of SIZES) {
        guarded.reset();
        const draw = numbers(n);
        const x = block('f32', draw.floats(whole(n), 6));
        const [out, slopes] = [block('f32', whole(n)), block('f32', whole(n))];
        kernels.activation(kind, x.address, n, out.address, slopes.address);
        expect(
          relativeError(out.values.subarray(0, n), Array.from(x.values.subarray(0, n), f)),
        ).toBeLessThan(TOLERANCE);
        expect(
          relativeError(slopes.values.subarray(0, n), Array.from(x.values.subarray(0, n), slope)),
        ).toBeLessThan(1e-5);
        guarded.expectGuardsIntact();
      }
    });

    test('is right and finite far out, at zero and for denormals', () => {
      const far = Array.from({ length: 401 }, (_, i) => (i - 200) / 2);
      const extreme = [
        ...far,
        0,
        -0,
        1e-40,
        -1e-40,
        1e-45,
        -1e-45,
        1e-20,
        -1e-20,
        88.8,
        -88.8,
        103.9,
        -103.9,
      ];
      const x = block('f32', new Float32Array(whole(extreme.length)));
      x.values.set(extreme);
      const out = block('f32', x.values.length);
      const slopes = block('f32', x.values.length);
      kernels.activation(kind, x.address, extreme.length, out.address, slopes.address);
      extreme.forEach((v, i) => {
        expect(Math.abs(out.values[i] - f(v)), `value at ${v}`).toBeLessThan(
          1e-6 * Math.max(1, Math.abs(v)),
        );
        expect(Math.abs(slopes.values[i] - slope(v)), `slope at ${v}`).toBeLessThan(2e-6);
      });
    });
  });
});
