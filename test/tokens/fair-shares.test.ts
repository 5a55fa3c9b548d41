import { describe, expect, test } from 'vitest';
import { fairShares, rowOfShare } from '../../src/tokens/fair-shares.js';
import { numbers } from '../numbers.js';

const sum = (values: Int32Array): number => values.reduce((a, b) => a + b, 0);
const lengths = (count: number, most: number): Int32Array =>
  Int32Array.from(numbers(1).integers(count, most), (n) => 1 + Math.abs(n));

describe('shares of a sample', () => {
  test('are all rows where no text has a sixteenth of them, and where there are few texts of like length', () => {
    for (const counts of [lengths(1000, 300), Int32Array.of(5, 9, 40), Int32Array.of(7)])
      expect(fairShares(counts, 1000)).toBe(counts);
  });

  test('of a text that is longer than all others together are no more than a sixteenth', () => {
    const counts = lengths(1000, 10);
    counts[700] = 1_000_000;
    const shares = fairShares(counts, 2000);
    expect([...shares].filter((share, i) => share !== counts[i])).toEqual([shares[700]]);
    expect(shares[700] / sum(shares)).toBeLessThanOrEqual(1 / 16);
    expect(shares[700] / sum(shares)).toBeGreaterThan(1 / 20);
  });

  test('leave as many rows as are wanted, or all', () => {
    const counts = Int32Array.of(4, 5, 100_000, 6, 50_000);
    for (const wanted of [10, 1000, 60_000])
      expect(sum(fairShares(counts, wanted))).toBeGreaterThanOrEqual(wanted);
    expect(fairShares(counts, 1e6)).toEqual(counts);
  });
});

test('rows of a share are different ones from all over a text', () => {
  const rows = Array.from({ length: 300 }, (_, place) => rowOfShare(place, 300, 100_000));
  expect(new Set(rows).size).toBe(300);
  expect(rows[0]).toBe(0);
  expect(rows[299]).toBeGreaterThan(99_000);
  expect(rows[299]).toBeLessThan(100_000);
  expect(rowOfShare(17, 20, 20)).toBe(17);
});
