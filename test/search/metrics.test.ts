import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ndcgAt, overlapAt, recallAt } from '../../src/search/metrics.js';

const judgements = new Map([
  ['a', 3],
  ['b', 2],
  ['c', 0],
  ['d', 1],
  ['e', -1],
]);

describe('nDCG', () => {
  test('is worked out by hand: grades over log2 of rank + 1, against the best order of the judgements', () => {
    // ranks 1 to 5: c 0, a 3, unjudged, b 2, e -1 (counts 0)
    const gain = 3 / Math.log2(3) + 2 / Math.log2(5);
    const ideal = 3 / Math.log2(2) + 2 / Math.log2(3) + 1 / Math.log2(4);
    expect(ndcgAt(['c', 'a', 'x', 'b', 'e'], judgements, 10)).toBeCloseTo(gain / ideal, 15);
  });

  test('cuts both the ranking and the ideal at k', () => {
    expect(ndcgAt(['b', 'a', 'd'], judgements, 1)).toBeCloseTo(2 / 3, 15);
    expect(ndcgAt(['a', 'b', 'd'], judgements, 2)).toBe(1);
  });

  test('is 1 for the best ranking, 0 without hits and 0 without relevant documents', () => {
    expect(ndcgAt(['a', 'b', 'd', 'c', 'e'], judgements, 10)).toBe(1);
    expect(ndcgAt(['x', 'c'], judgements, 10)).toBe(0);
    expect(ndcgAt([], judgements, 10)).toBe(0);
    expect(ndcgAt(['c'], new Map([['c', 0]]), 10)).toBe(0);
  });

  test('lies between 0 and 1 and never falls when a better document moves up', () => {
    const grades = fc.array(fc.integer({ min: -1, max: 3 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(grades, fc.nat(), fc.integer({ min: 1, max: 12 }), (list, pick, k) => {
        const judged = new Map(list.map((grade, i) => [String(i), grade]));
        const ranking = [...judged.keys()];
        const i = pick % (ranking.length - 1);
        const swapped = [...ranking];
        [swapped[i], swapped[i + 1]] = [swapped[i + 1], swapped[i]];
        const before = ndcgAt(ranking, judged, k);
        expect(before).toBeGreaterThanOrEqual(0);
        expect(before).toBeLessThanOrEqual(1);
        if (list[i + 1] >= list[i])
          expect(ndcgAt(swapped, judged, k)).toBeGreaterThanOrEqual(before - 1e-12);
      }),
    );
  });
});

describe('recall', () => {
  test('is the part of the relevant documents among the first k', () => {
    expect(recallAt(['a', 'c', 'd'], judgements, 2)).toBeCloseTo(1 / 3, 15);
    expect(recallAt(['a', 'c', 'd'], judgements, 100)).toBeCloseTo(2 / 3, 15);
    expect(recallAt(['a'], new Map(), 10)).toBe(0);
  });
});

describe('overlap with the exact top k', () => {
  const ids = [10, 11, 12, 13, 14, 15];
  const scores = [9, 8, 7, 7, 7, 6];

  test('lets documents that tie with rank k stand for each other', () => {
    const exact = { ids, scores };
    expect(overlapAt([11, 10, 14], exact, 3)).toBe(1);
    expect(overlapAt([12, 13, 14], exact, 3)).toBeCloseTo(1 / 3, 15);
    expect(overlapAt([10, 12, 13, 14], exact, 4)).toBe(0.75);
    expect(overlapAt([10, 11, 15], exact, 3)).toBeCloseTo(2 / 3, 15);
  });

  test('is plain set overlap without scores', () => {
    expect(overlapAt([10, 11, 14], { ids }, 3)).toBeCloseTo(2 / 3, 15);
    expect(overlapAt(new Int32Array([12, 11, 10, -1]), { ids: new Int32Array(ids) }, 3)).toBe(1);
    expect(overlapAt(['x'], { ids: ['x', 'y'] }, 1)).toBe(1);
  });

  test('counts a candidate once, and is measured by what there is when that is less than k', () => {
    expect(overlapAt([10, 10, 10], { ids, scores }, 3)).toBeCloseTo(1 / 3, 15);
    expect(overlapAt([10, 11], { ids: [10, 11], scores: [2, 1] }, 10)).toBe(1);
    expect(overlapAt([12], { ids: [] as number[] }, 10)).toBe(1);
    expect(overlapAt([14, 13, 12], { ids: [12, 13, 14, 15], scores: [1, 1, 1, 1] }, 3)).toBe(1);
  });

  test('refuses scores that ascend or are missing', () => {
    expect(() => overlapAt([10], { ids, scores: [1, 2, 3, 4, 5, 6] }, 3)).toThrow(
      'score 2 behind 1',
    );
    expect(() => overlapAt([10], { ids, scores: [1] }, 3)).toThrow('1 scores for 6 ids');
  });
});

test('a k that is no positive integer and a document that occurs twice are refused', () => {
  for (const k of [0, -1, 1.5, Number.NaN]) {
    expect(() => ndcgAt(['a'], judgements, k)).toThrow('expected an integer from 1');
    expect(() => recallAt(['a'], judgements, k)).toThrow('expected an integer from 1');
    expect(() => overlapAt([1], { ids: [1] }, k)).toThrow('expected an integer from 1');
  }
  expect(() => ndcgAt(['a', 'b', 'a'], judgements, 3)).toThrow('"a" occurs twice');
  expect(() => recallAt(['a', 'b', 'a'], judgements, 2)).not.toThrow();
});
