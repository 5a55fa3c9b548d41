import { describe, expect, test } from 'vitest';
import { type Attempt, fuzz, type Target } from './fuzz/harness.js';
import { hostileJson } from './hostile-json.js';
import { mutateBytes, randomOf } from './mutations.js';

const seed = Uint8Array.from({ length: 200 }, (_, i) => i);
const made = (number: number): string =>
  Buffer.from(mutateBytes({ seeds: [seed] }, randomOf(1, number))).toString('hex');

describe('mutations', () => {
  test('are the same for the same seed and number, and differ otherwise', () => {
    const all = Array.from({ length: 2000 }, (_, i) => made(i));
    expect(all).toEqual(Array.from({ length: 2000 }, (_, i) => made(i)));
    expect(new Set(all).size).toBeGreaterThan(1800);
  });

  test('of JSON have keys twice, numbers beyond float64, deep nesting and keys of every object', () => {
    const value = { a: [1, { b: 'x' }], c: null };
    const all = Array.from({ length: 3000 }, (_, i) => hostileJson(value, randomOf(2, i)));
    for (const part of [
      /"c":null,"c":null/,
      /1e400/,
      /\[{5000}/,
      /"__proto__":/,
      /9007199254740992/,
    ]) {
      expect(all.filter((text) => part.test(text)).length).toBeGreaterThan(3);
    }
    // they reach the reader's own checks: nearly all are JSON
    const parsed = all.filter((text) => {
      try {
        return JSON.parse(text) !== undefined;
      } catch {
        return false;
      }
    });
    expect(parsed.length).toBeGreaterThan(2700);
  });
});

describe('fuzzing', () => {
  const target = (read: (number: number) => unknown): Target => {
    let number = 0;
    const once = (): Attempt => ({ size: 10, show: () => 'shown', read: () => read(number++) });
    return { name: 'it', open: async () => ({ once }) };
  };
  const held: unknown[] = [];

  test.each<[string, (number: number) => unknown, RegExp]>([
    [
      'an error of another kind',
      (i) => (i === 7 ? (undefined as unknown as { x: 1 }).x : 0),
      /input 7 of seed 3 raised TypeError.*shown/s,
    ],
    [
      'too much memory for one input',
      (i) => new Float64Array(i === 7 ? 2 ** 22 : 0).length,
      /input 7 of seed 3 of 10 bytes took \d+ bytes/,
    ],
    ['memory that is kept', () => void held.push(new Uint8Array(2 ** 22)), /still held/],
  ])('fails for %s, and says which input', async (_what, read, message) => {
    await expect(fuzz(target(read), { inputs: 20, seed: 3 })).rejects.toThrow(message);
  });
});
