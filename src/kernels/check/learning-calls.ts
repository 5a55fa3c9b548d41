import { ACTIVATIONS, type Kernels } from '../kernels.js';
import type { LookKernels } from '../look-kernels.js';
import { type Block, type Draw, given, room, scratch } from './blocks.js';
import type { Calls, ProductKernel } from './product-calls.js';

/** Lengths of arrays: a rest alone, whole vectors, both. */
const SIZES = [3, 16, 37, 128];
const ROWS = 5;

/** Codes, the feature map, training and the least squares. */
export const learningCalls: Record<
  Exclude<keyof Kernels, ProductKernel | keyof LookKernels>,
  Calls
> = {
  quantizeRowsI16: (draw) =>
    SIZES.flatMap((dim) =>
      [0, draw.f32(dim)].map((factors) => {
        const out = room('i16', ROWS * (dim + (dim & 1)));
        return [draw.f32(ROWS * dim), ROWS, dim, 4095, factors, out, room('f32', ROWS)];
      }),
    ),
  quantizeColumnsI16: (draw) =>
    SIZES.map((n) => {
      const x = draw.f32(ROWS * (n + 3));
      const out = room('i16', n * (ROWS + 1));
      return [x, ROWS, n, n + 3, draw.f32(ROWS), 2047, out, room('f32', n)];
    }),
  quantizeI8: (draw) => SIZES.map((n) => [draw.f32(n, 150), n, 1, room('i8', n)]),
  largestAbs: (draw) => SIZES.map((n) => [draw.f32(n), n]),
  outerF64: (draw) =>
    [3, 18, 33].map((n) => {
      const k = 2 * n + 1;
      const [a, b] = [draw.f32(k * (17 + 3)), draw.f32(k * (n + 1))];
      const c = draw.f64(17 * (n + 2));
      return [17, n, k, a, 17 + 3, b, n + 1, c, n + 2, scratch('f64', (17 + 10) * 128)];
    }),
  addToF64: (draw) => SIZES.map((n) => [draw.f64(n), draw.f32(n), n]),
  choleskyF64: (draw) => [3, 16, 37].map((n) => [positiveDefinite(draw, n), n]),
  choleskySolve16: (draw) =>
    [3, 16, 37].map((n) => [positiveDefinite(draw, n), n, draw.f64(n * 19), 19]),
  activation: (draw) =>
    ACTIVATIONS.flatMap((_, kind) =>
      SIZES.map((n) => {
        // it works on groups of four
        const length = 4 * Math.ceil(n / 4);
        return [kind, draw.f32(length, 6), n, room('f32', length, n), room('f32', length, n)];
      }),
    ),
  multiply: (draw) => SIZES.map((n) => [draw.f32(n), draw.f32(n), n]),
  layerNorm: (draw) =>
    SIZES.flatMap((n) =>
      [true, false].map((scaled) => {
        const [gamma, beta] = scaled ? [draw.f32(n), draw.f32(n)] : [0, 0];
        const [normal, out] = [room('f32', ROWS * n), room('f32', ROWS * n)];
        const inverse = room('f32', ROWS);
        return [draw.f32(ROWS * n, 3), ROWS, n, 1e-5, gamma, beta, normal, inverse, out];
      }),
    ),
  layerNormBackward: (draw) =>
    SIZES.map((n) => {
      const [dOut, normal] = [draw.f32(ROWS * n), draw.f32(ROWS * n)];
      return [dOut, ROWS, n, draw.f32(n), normal, draw.positive(ROWS), room('f32', ROWS * n)];
    }),
  sumRows: (draw) =>
    SIZES.flatMap((n) =>
      [0, 1].map((add) => [draw.f32(ROWS * (n + 3)), ROWS, n, n + 3, add, draw.f32(n)]),
    ),
  sumProducts: (draw) =>
    SIZES.map((n) => {
      const [x, y] = [draw.f32(ROWS * (n + 3)), draw.f32(ROWS * (n + 3))];
      return [x, y, ROWS, n, n + 3, room('f32', n)];
    }),
  addBias: (draw) => SIZES.map((n) => [draw.f32(ROWS * n), ROWS, n, draw.f32(n)]),
  standardise: (draw) => SIZES.map((n) => [draw.f32(n), n, 0.4, 5.1]),
  dequantise: (draw) =>
    SIZES.map((n) => {
      const x = draw.f32(ROWS * (n + 3));
      return [x, ROWS, n, n + 3, draw.f32(ROWS), draw.f32(n), draw.f32(ROWS)];
    }),
  squaredError: (draw) => SIZES.map((n) => [draw.f32(n), draw.f32(n), n, 0.01]),
  sumSquares: (draw) => SIZES.map((n) => [draw.f32(n), n]),
  adam: (draw) =>
    SIZES.map((n) => {
      const moments = [draw.f32(n), draw.positive(n)];
      return [draw.f32(n), draw.f32(n), ...moments, n, 0.7, 3e-3, 0.9, 0.999, 0.5, 1e-8];
    }),
};

/** n x n; its lower triangle is a factor to solve with, too. */
function positiveDefinite(draw: Draw, n: number): Block {
  const values = draw.f64(n * n).values.slice();
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) values[j * n + i] = values[i * n + j];
    values[i * n + i] = n + i / n;
  }
  return given('f64', values);
}
