import { expect, test } from 'vitest';
import { copyPaced } from '../../src/bytes/copy-bytes.js';
import { turnsOf } from '../turns.js';

test('a copy has the same bytes in memory of its own', async () => {
  for (const length of [0, 5, 2 ** 22, 2 ** 22 + 1, 2 ** 23 + 7]) {
    const whole = Buffer.alloc(length + 8, 'some bytes, again and again, ');
    const given = whole.subarray(3, 3 + length);
    const copy = await copyPaced(given);
    expect(copy.length).toBe(length);
    expect(Buffer.compare(copy, given)).toBe(0);
    const before = copy[0];
    whole.fill(9);
    expect(copy[0]).toBe(before);
  }
});

test('a copy of many bytes gives the thread away again and again', async () => {
  const { turns } = await turnsOf(() => copyPaced(new Uint8Array(2 ** 25)));
  // of seven pauses some may fall into one turn
  expect(turns).toBeGreaterThanOrEqual(3);
});
