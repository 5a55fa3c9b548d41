import { expect, test } from 'vitest';
import { encodeTokens, plainTokens } from '../../src/tokens/encode-tokens.js';
import { int8Encoding } from '../../src/tokens/int8-encoding.js';
import {
  longestRows,
  queryLengths,
  relativeLengths,
  typicalLength,
  unitRows,
} from '../../src/tokens/lengths.js';
import { rowOffsets } from '../../src/tokens/token-sets.js';
import { numbers } from '../numbers.js';

const dim = 16;
const counts = Int32Array.of(3, 1, 4, 2);
const offsets = rowOffsets(counts);
const unit = numbers(1).unitRows(10, dim);
const factors = [1, 1, 1, 50, 1e-3, 2, 0, 1e-3, 0, 0];
const vectors = unit.map((value, i) => value * factors[Math.floor(i / dim)]);
const lengthOf = (rows: Float32Array, row: number) =>
  Math.hypot(...rows.subarray(row * dim, (row + 1) * dim));

test('rows of unit length are left as they are, bit by bit, however they were rounded', async () => {
  expect(await unitRows(unit, dim)).toBe(unit);
  const rounded = unit.map((value) => Math.round(value * 127) / 127);
  expect(await unitRows(rounded, dim)).toBe(rounded);
});

test('rows of other lengths are brought to length 1, but for those that are zero', async () => {
  const rows = await unitRows(vectors, dim);
  expect(rows).not.toBe(vectors);
  for (const [row, factor] of factors.entries())
    expect(lengthOf(rows, row)).toBeCloseTo(factor === 0 ? 0 : 1, 5);
});

test('the longest token of each text is found, in float32 and in int8', async () => {
  const lengths = await longestRows(plainTokens({ vectors, counts, offsets, dim }));
  expect([...lengths]).toEqual([1, expect.closeTo(50, 3), expect.closeTo(2, 4), 0]);
  const int8 = await longestRows(
    await encodeTokens(
      { vectors, counts, offsets, dim },
      { encoding: int8Encoding, dim, parameters: new Float32Array(dim).fill(0.01) },
    ),
  );
  expect([...int8]).toEqual([1, expect.closeTo(50, 0), expect.closeTo(2, 1), expect.closeTo(0, 2)]);
  expect([...(await queryLengths({ vectors, counts, offsets, dim }))]).toEqual([
    3,
    expect.closeTo(50, 3),
    expect.closeTo(2.002, 4),
    0,
  ]);
});

test('what is typical is the middle length, texts that are zero aside, and scales are times that', () => {
  expect(typicalLength(Float64Array.of(0, 1, 1e6, 1, 0, 2))).toBe(2);
  expect(typicalLength(Float64Array.of(0, 0))).toBe(1);
  expect(relativeLengths(Float64Array.of(4, 4.05, 4), 4)).toBeNull();
  expect(relativeLengths(Float64Array.of(4, 8, 0), 4)).toEqual(Float32Array.of(1, 2, 0));
});
