import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectLargest } from '../../src/kernels/select-largest.js';
import { selectTopK, selectTopKPaced } from '../../src/kernels/top-k.js';
import { stepPacer } from '../../src/pacer.js';
import { numbers } from '../numbers.js';

const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.float({ noNaN: true }),
  fc.constantFrom(-Infinity, Infinity, 0, -0),
);

test('the k largest come best first, ties by the lower position, whatever lies around them', () => {
  fc.assert(
    fc.property(
      fc.array(score, { maxLength: 80 }),
      fc.integer({ min: 1, max: 100 }),
      fc.nat(1000),
      fc.nat(5),
      (scores, k, base, at) => {
        const indices = new Int32Array(at + k + 2).fill(-7);
        const best = new Float32Array(at + k + 2).fill(-7);
        const found = selectTopK(
          Float32Array.from(scores),
          scores.length,
          k,
          base,
          indices,
          best,
          at,
        );
        const order = scores
          .map((value, i) => ({ value, i }))
          .sort((a, b) => (a.value === b.value ? a.i - b.i : b.value - a.value));
        const expected = order.slice(0, k);
        expect(found).toBe(Math.min(k, scores.length));
        expect([...indices.subarray(at, at + found)]).toEqual(expected.map(({ i }) => i + base));
        expect([...best.subarray(at, at + found)].map((v) => v + 0)).toEqual(
          expected.map(({ value }) => Math.fround(value) + 0),
        );
        for (const untouched of [indices, best]) {
          expect(
            [...untouched.subarray(0, at), ...untouched.subarray(at + found)].every(
              (v) => v === -7,
            ),
          ).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('only the first `count` scores count', () => {
  const indices = new Int32Array(3);
  expect(selectTopK([1, 2, 9], 2, 3, 0, indices, new Float32Array(3), 0)).toBe(2);
  expect([...indices]).toEqual([1, 0, 0]);
});

test('the k largest as a set are those of a sort, ascending, with ties at the cut by the lower position', () => {
  for (const count of [1, 2, 17, 300, 2000]) {
    for (const [spread, scale] of [
      [3, 1],
      [0, 1],
      [1, -1e-45],
      [1e6, 1],
      [1e6, 1e32],
    ]) {
      const scores = Float32Array.from(
        numbers(count + spread).integers(count, spread),
        (value) => value * scale,
      );
      for (const k of [0, 1, 2, Math.floor(count / 2), count, count + 5]) {
        const out = new Int32Array(count + 2).fill(-7);
        const found = selectLargest(scores, count, k, new Float32Array(count), out, 1);
        const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
        expect(found).toBe(Math.min(k, count));
        expect([...out.subarray(1, 1 + found)]).toEqual(order.slice(0, k).sort((a, b) => a - b));
        expect(out[0]).toBe(-7);
        expect(out[1 + found]).toBe(-7);
      }
    }
  }
});

test('a long choice that gives way to other work is the same as one in one go', async () => {
  const scores = Float32Array.from({ length: 5000 }, (_, i) => (i * 7919) % 1021);
  for (const k of [1, 511, 512, 513, 514, 1500, 5000]) {
    const [once, paced] = [new Int32Array(k), new Int32Array(k)];
    const [best, pacedBest] = [new Float32Array(k), new Float32Array(k)];
    selectTopK(scores, scores.length, k, 0, once, best, 0);
    await selectTopKPaced(scores, scores.length, k, paced, pacedBest, 0, stepPacer());
    expect(paced).toEqual(once);
    expect(pacedBest).toEqual(best);
  }
});
