import { expect, test } from 'vitest';
import { planSubset } from '../../src/device/cpu/operations/max-sim.js';

test.each([1, 2, 7])('blocks of %i threads have each candidate once, in order', (threads) => {
  for (const counts of [[], [0], [1], [3, 0, 200], [200], [17, 64, 5], new Array(40).fill(9)]) {
    const offsets = new Int32Array(counts.length + 1);
    for (const [q, count] of counts.entries()) offsets[q + 1] = offsets[q] + count;
    const plan = planSubset(offsets, threads);
    const seen: number[][] = counts.map(() => []);
    for (let at = 0; at < plan.length; at += 3) {
      const [query, from, to] = plan.subarray(at, at + 3);
      expect(to - from).toBeGreaterThan(0);
      expect(to - from).toBeLessThanOrEqual(16);
      for (let i = from; i < to; i++) seen[query].push(i);
    }
    expect(seen).toEqual(
      counts.map((count, q) => Array.from({ length: count }, (_, i) => offsets[q] + i)),
    );
  }
});

test('the last blocks of a job are the smallest', () => {
  const plan = planSubset(Int32Array.of(0, 200), 2);
  const sizes = Array.from(
    { length: plan.length / 3 },
    (_, b) => plan[3 * b + 2] - plan[3 * b + 1],
  );
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  expect(sizes[0]).toBe(16);
  expect(sizes.at(-1)).toBeLessThanOrEqual(4);
});
