import { expect, test } from 'vitest';
import { Arena } from '../../../src/collection/ingest/arena.js';

test('small arrays keep their type and values, in few blocks of memory', () => {
  const arena = new Arena();
  const given = Array.from({ length: 5000 }, (_, i) => Float32Array.of(i, i / 3, -i));
  const kept = given.map((array) => arena.keep(array));
  expect(kept).toEqual(given);
  const blocks = new Set(kept.map(({ buffer }) => buffer));
  expect(blocks.size).toBe(1);
});

test('a block that is full is followed by another, and what is in it stays', () => {
  const arena = new Arena();
  const given = Array.from({ length: 100 }, (_, i) => new Int8Array(10_001).fill(i));
  const kept = given.map((array) => arena.keep(array));
  expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(4);
  expect(kept).toEqual(given);
});

test('a copy does not change with what was given; a large array is not copied', () => {
  const arena = new Arena();
  const small = Int8Array.of(1, 2, 3);
  const kept = arena.keep(small);
  small.fill(9);
  expect(kept).toEqual(Int8Array.of(1, 2, 3));
  const large = new Int8Array(1 << 20);
  expect(arena.keep(large)).toBe(large);
});
