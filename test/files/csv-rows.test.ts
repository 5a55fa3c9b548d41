import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';
import { csvText } from '../../src/files/node-csv-text.js';
import { turnsOf } from '../turns.js';

/** A table by Papa Parse: a line a row, as many lines as the row has, with names of columns. */
function byPapaParse(csv: string): string {
  const lines: string[] = [];
  let names: string[] | undefined;
  let from = 0;
  const put = (cells: string[], end: number): void => {
    const row = csv.slice(from, end);
    from = end;
    const own = cells.map((cell) => cell.replace(/\s+/g, ' ').trim());
    const named = own.map((cell, i) => (cell && names?.[i] ? `${names[i]}: ${cell}` : cell));
    names ??= own;
    const all = row.split('\n').length - 1;
    const isBlank = row.trim() === '';
    const before = isBlank ? 0 : (/^\s*/.exec(row)?.[0].split('\n').length ?? 1) - 1;
    for (let i = 0; i < before; i++) lines.push('');
    lines.push(named.filter(Boolean).join('; '));
    for (let i = before + 1; i < all; i++) lines.push('');
  };
  Papa.parse<string[]>(csv, {
    skipEmptyLines: true,
    step: ({ data, meta }) => put(data, meta.cursor),
  });
  return `${lines.join('\n').trimEnd()}\n`;
}

describe('a table is read as Papa Parse reads it', () => {
  test('whatever is in it', async () => {
    const piece = fc.constantFrom(
      ...['"', '""', ',', '\t', ';', '|', '\n', '\r\n', '\r', ' ', 'a', 'word', 'ü', '', '\x1f'],
      ...['"a"', '"a" ,', '"x"y",', '",\n', '" \n', '\n\n', ' , ', '\u3000'],
    );
    const table = fc.array(piece, { maxLength: 60 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(table, async (csv) => {
        expect(await csvText(csv)).toBe(byPapaParse(csv));
      }),
      { numRuns: 3000 },
    );
  });

  test('where cells and rows are longer than what is read in one go', async () => {
    const long = [
      `a,b\n"${'x""y \n'.repeat(20_000)}",c\n`,
      `a\tb\n"${'""'.repeat(40_001)}"\t"${'" '.repeat(40_000)}\n1\t2`,
      `${'n,'.repeat(5000)}\n${' \n'.repeat(30_000)}${'1,'.repeat(5000)}\nx`,
      `a;b\r\n"x"${' '.repeat(40_000)};y\r\n"z"${' '.repeat(40_000)}\r\n`,
      `a,b\r"1""",2\r${'\r'.repeat(5000)}3,4`,
    ];
    for (const csv of long) expect(await csvText(csv)).toBe(byPapaParse(csv));
  });
});

test('lines keep their numbers behind one of white space', async () => {
  expect(await csvText('a,b\n  \n1,2\n')).toBe('a; b\n\na: 1; b: 2\n');
  expect(await csvText('a\tb\n\t\t\n1\t2\n')).toBe('a; b\n\na: 1; b: 2\n');
});

const MEGABYTE = 2 ** 20;
test.each([
  ['a cell in quotes', `a,b\n"${'word '.repeat(MEGABYTE / 5)}",x\n`],
  ['empty lines', `a,b\n1,2${'\n'.repeat(MEGABYTE)}`],
  ['lines in a cell', `a,b\n"${'\n'.repeat(MEGABYTE)}",x\n`],
  ['quotes that close nothing', `a,b\n${'"x"y",1\n'.repeat(MEGABYTE / 8)}`],
  ['quotes that stand twice', `a,b\n"${'""'.repeat(MEGABYTE / 2)}",x\n`],
  ['cells in a row', 'a,'.repeat(MEGABYTE / 2)],
])('a megabyte of %s gives the thread away', async (_, csv) => {
  expect((await turnsOf(() => csvText(csv))).turns).toBeGreaterThanOrEqual(8);
});

test('a row of very many cells is refused', async () => {
  await expect(csvText(','.repeat(2 ** 20 + 1))).rejects.toThrow('a row of over 1048576 cells');
});
