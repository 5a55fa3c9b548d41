import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evidenceOf } from '../../src/search/evidence.js';
import { maxSim } from '../../src/search/max-sim.js';
import { dot, numbers, sum } from '../numbers.js';

describe('evidence', () => {
  test('names the nearest document token of each query token, worked out by hand', () => {
    const query = Float32Array.of(1, 0, 0, 2, -1, -1);
    const document = Float32Array.of(3, -1, 1, 1, -5, -1);
    // products with the three tokens: 3 1 -5; -2 2 -2; -2 -2 6
    const { tokens, scores } = evidenceOf(query, document, 2);
    expect([...tokens]).toEqual([0, 1, 2]);
    expect([...scores]).toEqual([3, 2, 6]);
    // all negative
    expect(evidenceOf(Float32Array.of(1), Float32Array.of(-3, -2, -4), 1)).toEqual({
      tokens: Int32Array.of(1),
      scores: Float32Array.of(-2),
    });
  });

  test('of equal products the lower number counts', () => {
    const token = [0.1, 0.7, -0.3, 0.2, 0.9];
    const document = Float32Array.from([
      ...token.map((v) => -v),
      ...token,
      ...token,
      ...token.map((v) => v / 2),
    ]);
    expect([...evidenceOf(Float32Array.from(token), document, 5).tokens]).toEqual([1]);
    // zeros: every product is 0
    expect(evidenceOf(new Float32Array(4), numbers(1).floats(12), 4)).toEqual({
      tokens: Int32Array.of(0),
      scores: Float32Array.of(0),
    });
  });

  test('its scores are the largest products of any shape and add up to maxSim', () => {
    const shape = fc.record({
      seed: fc.nat(),
      rows: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 1, max: 12 }),
      dim: fc.integer({ min: 1, max: 11 }),
      scale: fc.constantFrom(1, 30),
    });
    fc.assert(
      fc.property(shape, ({ seed, rows, count, dim, scale }) => {
        const random = numbers(seed);
        const [query, document] = [
          random.floats(rows * dim, scale),
          random.floats(count * dim, scale),
        ];
        const { tokens, scores } = evidenceOf(query, document, dim);
        for (let i = 0; i < rows; i++) {
          const x = query.subarray(i * dim, (i + 1) * dim);
          const products = Array.from({ length: count }, (_, t) =>
            dot(x, document.subarray(t * dim, (t + 1) * dim)),
          );
          const best = Math.max(...products);
          expect(scores[i]).toBeCloseTo(best, 3);
          expect(products[tokens[i]]).toBeCloseTo(best, 10);
        }
        const exact = maxSim(
          { data: query, dims: [rows, dim] },
          { data: document, dims: [count, dim] },
        );
        const size = sum([...scores].map(Math.abs));
        expect(Math.abs(sum([...scores]) - exact)).toBeLessThanOrEqual(2 ** -23 * size + 1e-12);
      }),
    );
  });

  test('neither side may have rows, and the inputs stay as they were', () => {
    expect(evidenceOf(new Float32Array(0), Float32Array.of(1, 2), 2)).toEqual({
      tokens: new Int32Array(0),
      scores: new Float32Array(0),
    });
    expect(evidenceOf(Float32Array.of(1, 2), new Float32Array(0), 2)).toEqual({
      tokens: Int32Array.of(-1),
      scores: Float32Array.of(-Infinity),
    });
    const [query, document] = [numbers(2).floats(16), numbers(3).floats(40)];
    evidenceOf(query, document, 8);
    expect(query).toEqual(numbers(2).floats(16));
    expect(document).toEqual(numbers(3).floats(40));
  });
});
