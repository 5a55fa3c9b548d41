import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createReporter, type ProgressStream } from '../../src/cli/progress.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor of a terminal
const CONTROLS = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** The lines that a terminal of so many columns shows while 56,789 documents are added. */
async function linesIn(columns: number): Promise<string[]> {
  const stream: ProgressStream & PassThrough = Object.assign(new PassThrough(), {
    isTTY: true,
    columns,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  const written: string[] = [];
  stream.on('data', (chunk) => written.push(String(chunk)));
  await createReporter(stream).step('add documents', async (onProgress) => {
    onProgress({ stage: 'add', done: 11_000, total: 56_789 });
    await wait(1200);
    onProgress({ stage: 'add', done: 11_345, total: 56_789 });
    await wait(300);
  });
  return written
    .join('\n')
    .split(/[\r\n]/)
    .map((line) => line.replace(CONTROLS, '').trimEnd());
}

describe('the bar of a step', () => {
  test.each([60, 80, 120])(
    'keeps percent, count, pace and time left in %i columns',
    async (columns) => {
      const lines = (await linesIn(columns)).filter((line) => line.includes(' % '));
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
      expect(lines.at(-1)).toMatch(
        /\[=+ *\] 1?9 % 11,345 of 56,789.*, \d+(\/s| a second), .* left$/,
      );
    },
  );
});
