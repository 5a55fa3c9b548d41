import { expect, test } from 'vitest';
import { queryWords } from '../../src/keywords/query-words.js';
import { turnsOf } from '../turns.js';

test('the words of a query of 65,536 code units are cut in several turns', async () => {
  const text = '検索'.repeat(1 << 15);
  const { value, turns } = await turnsOf(() => queryWords(text, undefined));
  expect(value.map(({ term, count }) => [term, count])).toEqual([
    ['検索', 1 << 15],
    // a stretch of 4,096 characters is a word of its own
    ['索検', (1 << 15) - 16],
  ]);
  expect(turns).toBeGreaterThan(8);
});
