import { expect, test } from 'vitest';
import { hasLevels } from '../../../src/formats/json/json-levels.js';

const nested = (levels: number, open: string, close: string): unknown =>
  JSON.parse(open.repeat(levels) + close.repeat(levels));

test('levels of objects and arrays are counted without recursion', () => {
  expect(hasLevels(nested(64, '[', ']'))).toBe(true);
  expect(hasLevels(nested(65, '[', ']'))).toBe(false);
  expect(hasLevels(nested(200_000, '[', ']'))).toBe(false);
  expect(hasLevels(JSON.parse(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`))).toBe(false);
  for (const value of [null, 1, 'a', {}, []]) expect(hasLevels(value, 1)).toBe(true);
  expect(hasLevels({ a: { b: 1 }, c: [] }, 2)).toBe(true);
  expect(hasLevels({ a: { b: {} } }, 2)).toBe(false);
});
