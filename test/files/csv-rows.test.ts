import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';
import { csvText } from '../../src/files/node-csv-text.js';
import { turnsOf } from '../turns.js';

/**
 * A table by Papa Parse: a line a row, as many lines as the row has, with names of columns;
 * undefined where it finds something behind a quote that should close a cell.
 */
function byPapaParse(csv: string): string | undefined {
  const lines: string[] = [];
  let names: string[] | undefined;
  let from = 0;
  let isOdd = false;
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
    step: ({ data, meta, errors }) => {
      isOdd ||= errors.some(({ code }) => code === 'InvalidQuotes');
      put(data, meta.cursor);
    },
  });
  if (isOdd) return undefined;
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
        const expected = byPapaParse(csv);
        // where it finds no delimiter there may be one if quotes end within cells
        const { errors } = Papa.parse(csv, { preview: 10 });
        const hasNone = errors.some(({ code }) => code === 'UndetectableDelimiter');
        fc.pre(expected !== undefined && !(hasNone && csv.includes('"')));
        expect(await csvText(csv)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test('where cells and rows are longer than what is read in one go', async () => {
    const long = [
      `a,b\n"${'x""y \n'.repeat(20_000)}",c\n`,
      `a\tb\n"${'""'.repeat(40_001)}"\t"${'"" '.repeat(40_000)}"\n1\t2`,
      `${'n,'.repeat(5000)}\n${' \n'.repeat(30_000)}${'1,'.repeat(5000)}\nx`,
      `a;b\r\n"x"${' '.repeat(40_000)};y\r\nw;"z"${' '.repeat(40_000)}\r\n`,
      `a,b\r"1""",2\r${'\r'.repeat(5000)}3,4`,
    ];
    for (const csv of long) expect(await csvText(csv)).toBe(byPapaParse(csv));
  });
});

/** Cells of rows by a machine of one character a step, as spreadsheets read them. */
function byCharacters(csv: string): string[][] {
  const rows: string[][] = [[]];
  let [cell, state] = ['', 'begin'];
  const close = (): void => void rows[rows.length - 1].push(cell.replace(/\s+/g, ' ').trim());
  for (let i = 0; i < csv.length; i++) {
    const [char, next] = [csv[i], csv[i + 1]];
    if (state === 'quoted' && char === '"' && next === '"') cell += csv[i++];
    else if (state === 'quoted' && char === '"') state = 'behind';
    else if (state === 'quoted') cell += char;
    else if (char === ',' || char === '\n') {
      close();
      if (char === '\n') rows.push([]);
      [cell, state] = ['', 'begin'];
    } else if (state === 'begin' && char === '"') state = 'quoted';
    else [cell, state] = [cell + char, state === 'begin' ? 'bare' : state];
  }
  if (state === 'quoted') return [];
  close();
  return rows.map((cells) => cells.filter(Boolean)).filter((cells) => cells.length > 0);
}

describe('what is behind the quote that closes a cell is part of the cell', () => {
  test('whatever it is', async () => {
    const piece = fc.constantFrom('"', '""', ',', '\n', ' ', 'a', 'word', '"x" y', '",', '"x"y",');
    const table = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(table, async (csv) => {
        const rows = byCharacters(csv);
        fc.pre(rows.length > 0);
        // names of columns would stand in the rows
        const text = await csvText(`sep=,\n,\n${csv}`);
        const lines = text.split('\n').filter(Boolean);
        expect(lines).toEqual(rows.map((cells) => cells.join('; ')));
      }),
      { numRuns: 1000 },
    );
  });

  test('as in a title, and in a cell that is longer than what is read in one go', async () => {
    expect(await csvText('"Best" film,year\nx,1\n')).toBe(
      'Best film; year\nBest film: x; year: 1\n',
    );
    expect(await csvText('"Best" film;year\n"So-called" y;2\n')).toBe(
      'Best film; year\nBest film: So-called y; year: 2\n',
    );
    // a comma within the quotes of another delimiter's cells delimits nothing
    expect(await csvText('"a";"x,y"\n"b";"z,w"\n')).toBe('a; x,y\na: b; x,y: z,w\n');
    const long = 'word '.repeat(10_000).trim();
    expect(await csvText(`a,b\n"${long}" ""end"" ${long},c\n`)).toBe(
      `a; b\na: ${long} ""end"" ${long}; b: c\n`,
    );
  });
});

test.each(['sep=;\r\n', '"sep=;"\n'])('a first line %j names the delimiter', async (first) => {
  expect(await csvText(`${first}a,x;b\n1,5;2\n`)).toBe('\na,x; b\na,x: 1,5; b: 2\n');
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
