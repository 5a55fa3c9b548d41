import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stepPacer } from '../../src/pacer.js';
import { evidenceOf, type TokenMatches } from '../../src/search/evidence.js';
import { maxSim } from '../../src/search/max-sim.js';
import { dot, numbers, sum } from '../numbers.js';
import { turnsOf } from '../turns.js';

const evidence = (
  query: Float32Array,
  parts: readonly Float32Array[],
  dim: number,
): Promise<TokenMatches> => evidenceOf(query, parts, dim, stepPacer());

describe('evidence', () => {
  test('names the nearest document token of each query token, worked out by hand', async () => {
    const query = Float32Array.of(1, 0, 0, 2, -1, -1);
    const document = Float32Array.of(3, -1, 1, 1, -5, -1);
    // products with the three tokens: 3 1 -5; -2 2 -2; -2 -2 6
    const { tokens, scores } = await evidence(query, [document], 2);
    expect([...tokens]).toEqual([0, 1, 2]);
    expect([...scores]).toEqual([3, 2, 6]);
    // all negative
    expect(await evidence(Float32Array.of(1), [Float32Array.of(-3, -2, -4)], 1)).toEqual({
      tokens: Int32Array.of(1),
      scores: Float32Array.of(-2),
    });
  });

  test('of equal products the lower number counts', async () => {
    const token = [0.1, 0.7, -0.3, 0.2, 0.9];
    const document = Float32Array.from([
      ...token.map((v) => -v),
      ...token,
      ...token,
      ...token.map((v) => v / 2),
    ]);
    expect([...(await evidence(Float32Array.from(token), [document], 5)).tokens]).toEqual([1]);
    // zeros: every product is 0
    expect(await evidence(new Float32Array(4), [numbers(1).floats(12)], 4)).toEqual({
      tokens: Int32Array.of(0),
      scores: Float32Array.of(0),
    });
  });

  test('its scores are the largest products of any shape and add up to maxSim', async () => {
    const shape = fc.record({
      seed: fc.nat(),
      rows: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 1, max: 12 }),
      dim: fc.integer({ min: 1, max: 11 }),
      scale: fc.constantFrom(1, 30),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ seed, rows, count, dim, scale }) => {
        const random = numbers(seed);
        const [query, document] = [
          random.floats(rows * dim, scale),
          random.floats(count * dim, scale),
        ];
        const { tokens, scores } = await evidence(query, [document], dim);
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

  test('neither side may have rows, and the inputs stay as they were', async () => {
    expect(await evidence(new Float32Array(0), [Float32Array.of(1, 2)], 2)).toEqual({
      tokens: new Int32Array(0),
      scores: new Float32Array(0),
    });
    expect(await evidence(Float32Array.of(1, 2), [], 2)).toEqual({
      tokens: Int32Array.of(-1),
      scores: Float32Array.of(-Infinity),
    });
    const [query, document] = [numbers(2).floats(16), numbers(3).floats(40)];
    await evidence(query, [document], 8);
    expect(query).toEqual(numbers(2).floats(16));
    expect(document).toEqual(numbers(3).floats(40));
  });

  test('has the bits of the plain formula, however the document is parted', async () => {
    const shape = fc.record({
      seed: fc.nat(),
      rows: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 1, max: 40 }),
      dim: fc.integer({ min: 1, max: 11 }),
      ends: fc.array(fc.integer({ min: 1, max: 39 }), { maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ seed, rows, count, dim, ends }) => {
        const random = numbers(seed);
        const query = random.floats(rows * dim);
        // tokens that come again
        const document = random.floats(count * dim);
        document.copyWithin((count >> 1) * dim, 0, (count >> 2) * dim);
        const cuts = [0, ...ends.filter((end) => end < count), count].sort((a, b) => a - b);
        const parts = cuts.slice(1).map((to, i) => document.subarray(cuts[i] * dim, to * dim));
        const expected = plainEvidence(query, document, dim);
        expect(await evidence(query, [document], dim)).toEqual(expected);
        expect(await evidence(query, parts, dim)).toEqual(expected);
      }),
    );
  });

  test('gives the thread away at least once for every 2^23 multiplications, and hears its signal', async () => {
    const dim = 128;
    const document = numbers(5).floats(8192 * dim);
    const query = document.subarray(0, 32 * dim);
    const parts = Array.from({ length: 8 }, (_, i) =>
      document.subarray(i * 1024 * dim, (i + 1) * 1024 * dim),
    );
    const { value, turns } = await turnsOf(() => evidence(query, parts, dim));
    expect(turns).toBeGreaterThanOrEqual((32 * document.length) / 2 ** 23 - 1);
    expect(value).toEqual(plainEvidence(query, document, dim));
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    const work = evidenceOf(query, parts, dim, stepPacer(stop.signal));
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
  });
});

/** The formula as it reads, in the four sums that scores have always been made of. */
function plainEvidence(query: Float32Array, document: Float32Array, dim: number): TokenMatches {
  const rows = query.length / dim;
  const tokens = new Int32Array(rows).fill(-1);
  const scores = new Float32Array(rows).fill(-Infinity);
  for (let row = 0; row < rows; row++) {
    let best = -Infinity;
    for (let token = 0; token < document.length / dim; token++) {
      const sums = [0, 0, 0, 0];
      const whole = dim - (dim % 4);
      for (let c = 0; c < dim; c++)
        sums[c < whole ? c % 4 : 0] += query[row * dim + c] * document[token * dim + c];
      const product = sums[0] + sums[1] + (sums[2] + sums[3]);
      if (product <= best) continue;
      best = product;
      tokens[row] = token;
    }
    scores[row] = best;
  }
  return { tokens, scores };
}
