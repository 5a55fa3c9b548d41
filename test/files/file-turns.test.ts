import { expect, test } from 'vitest';
import { fileText } from '../../src/files/node-file-text.js';

/** Turns of the event loop that come while a promise is waited for. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOn = true;
  const turn = (): void => {
    turns++;
    if (isOn) setImmediate(turn);
  };
  setImmediate(turn);
  await work.finally(() => {
    isOn = false;
  });
  return turns;
}

test.each([
  ['table.csv', 'a,b\n'.repeat(50_000), 50_000, 'a: a; b: b', 10],
  ['quoted.csv', `x,y\n${'"1 ""one""",2\r\n'.repeat(50_000)}`, 50_001, 'x: 1 "one"; y: 2', 10],
  ['page.html', '<p>word</p>'.repeat(100_000), 100_000, 'word', 12],
] as const)('%s of many rows is read in several turns, and is whole', async (...row) => {
  const [name, text, count, line, least] = row;
  const reading = fileText(name, new TextEncoder().encode(text));
  expect(await turnsDuring(reading)).toBeGreaterThanOrEqual(least);
  const lines = (await reading).text.split('\n').filter(Boolean);
  expect(lines.length).toBe(count);
  // but for the names of columns
  expect(new Set(lines.slice(1))).toEqual(new Set([line]));
});
