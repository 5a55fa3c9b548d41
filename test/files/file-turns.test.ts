import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileText } from '../../src/files/node-file-text.js';
import { isIgnored, readIgnoreFile } from '../../src/files/node-git-ignore.js';
import { htmlText } from '../../src/files/node-html-text.js';
import { readFolder } from '../../src/files/node-read-folder.js';
import { temporaryFolder } from '../temporary-folder.js';
import { turnsOf } from '../turns.js';

test.each([
  ['table.csv', 'a,b\n'.repeat(50_000), 50_000, 'a: a; b: b', 10],
  ['quoted.csv', `x,y\n${'"1 ""one""",2\r\n'.repeat(50_000)}`, 50_001, 'x: 1 "one"; y: 2', 10],
  ['page.html', '<p>word</p>'.repeat(100_000), 100_000, 'word', 12],
] as const)('%s of many rows is read in several turns, and is whole', async (...row) => {
  const [name, text, count, line, least] = row;
  const { value, turns } = await turnsOf(() => fileText(name, new TextEncoder().encode(text)));
  expect(turns).toBeGreaterThanOrEqual(least);
  const lines = value.text.split('\n').filter(Boolean);
  expect(lines.length).toBe(count);
  // but for the names of columns
  expect(new Set(lines.slice(1))).toEqual(new Set([line]));
});

test('cells of a few thousand characters are read in turns by what they have', async () => {
  const row = `${'word '.repeat(3000)},`.repeat(64);
  const bytes = new TextEncoder().encode(`${row}\n`.repeat(2));
  const { turns } = await turnsOf(() => fileText('cells.csv', bytes));
  expect(turns).toBeGreaterThanOrEqual(12);
});

test('a table stays within what a text may have, however long the names of its columns are', async () => {
  const long = new TextEncoder().encode(`${'n'.repeat(500_000)},b\n${'1,2\n'.repeat(2000)}`);
  const { text } = await fileText('long.csv', long);
  expect(text.split('\n')[1]).toBe(`${'n'.repeat(256)}: 1; b: 2`);
  const many = new TextEncoder().encode(`${'n'.repeat(256)}\n${'1\n'.repeat(70_000)}`);
  await expect(fileText('many.csv', many)).rejects.toThrow(
    /over 2\^24 characters with the names of its columns/,
  );
});

test.each([
  ['tags', '<b>'.repeat(100_000)],
  ['marks that begin no tag', '< '.repeat(100_000)],
  ['entities', '&amp;'.repeat(100_000)],
])('a page of many %s gives the thread away', async (_, html) => {
  expect((await turnsOf(() => htmlText(html))).turns).toBeGreaterThanOrEqual(20);
});

test('of a title without an end 65,536 characters are read', async () => {
  const { title } = await htmlText(`<title>${'word '.repeat(100_000)}`);
  expect(title).toBe(
    'word '
      .repeat(2 ** 14)
      .slice(0, 2 ** 16)
      .trim(),
  );
});

test.each([
  ['# a b #\ntext', 'a b'],
  [' \n  #   a # #  \n', 'a #'],
  ['#\n\nbelow', 'below'],
  ['# ##\n', '#'],
  ['#no\n#+title: yes\n', 'yes'],
  ['#+TITLE:\tyes ##', 'yes'],
  ['a # b\n#', undefined],
  // took minutes: each stretch of white space was tried in each way
  [`# a${' '.repeat(4000)}b`, `a${' '.repeat(4000)}b`],
  [`${'\n'.repeat(4000)}# a${' #'.repeat(30)}`, `a${' #'.repeat(29)}`],
] as const)('a heading is found in a time by its length (%#)', async (text, title) => {
  expect((await fileText('a.md', new TextEncoder().encode(text))).title).toBe(title);
});

test('front matter of more parts than are kept is not composed', async () => {
  const text = `---\n${Array.from({ length: 1000 }, (_, i) => `k${i}: v`).join('\n')}\n---\nA.`;
  expect(await fileText('a.md', new TextEncoder().encode(text))).toMatchObject({
    text,
    fields: {},
  });
  const commented = `---\n${'# no part\n'.repeat(1000)}a: 1\n---\nA.`;
  const { fields } = await fileText('a.md', new TextEncoder().encode(commented));
  expect(fields).toEqual({ a: 1 });
});

const temporary = await temporaryFolder('turns');
const makeFolder = (): Promise<string> => mkdtemp(join(temporary, 'a-'));

test('patterns of .gitignore are made and asked some at a time, the last ones first', async () => {
  const folder = await makeFolder();
  const many = Array.from({ length: 4000 }, (_, i) => `folder-${i}/*.tmp`);
  const lines = ['*.log', '!kept.log', ...many, 'kept.log/', '# !a.log', 'b.log\r', '!b.log'];
  await writeFile(join(folder, '.gitignore'), lines.join('\n'));
  const { value: tests, turns } = await turnsOf(() => readIgnoreFile(folder));
  expect(turns).toBeGreaterThanOrEqual(6);
  const rules = [{ base: '', tests }];
  const said = async (path: string): Promise<boolean> => isIgnored(path, [], rules);
  expect(await said('a.log')).toBe(true);
  expect(await said('b.log')).toBe(false);
  expect(await said('kept.log')).toBe(false);
  expect(await said('kept.log/')).toBe(true);
  expect(await said('folder-0/x.tmp')).toBe(true);
  expect(await said('folder-3999/x.tmp')).toBe(true);
  expect(await said('folder-4000/x.tmp')).toBe(false);
});

test('patterns that are not read are told of, and the folder is read', async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, '.gitignore'), 'x\n'.repeat(2 ** 19 + 1));
  await mkdir(join(folder, 'below'));
  await writeFile(join(folder, 'below', '.gitignore'), `*.tmp\n${'a'.repeat(4097)}\n`);
  await writeFile(join(folder, 'below', 'a.md'), 'A.');
  const told: [string, string, string | undefined][] = [];
  const files = readFolder(folder, {
    onSkipped: ({ path, reason, error }) => told.push([path, reason, error?.message]),
  });
  const ids: string[] = [];
  for await (const { id } of files) ids.push(id);
  expect(ids).toEqual(['below/a.md']);
  expect(told).toEqual([
    ['.gitignore', 'unread', expect.stringContaining('expected at most')],
    ['below/.gitignore', 'unread', expect.stringContaining('line 2: 4097 characters')],
  ]);
});
