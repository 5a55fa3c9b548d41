import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { makeNotes, type Notes } from './notes.js';
import { type Outcome, runCli } from './run-cli.js';

let notes: Notes;
beforeAll(async () => {
  notes = await makeNotes();
  for (const name of ['a/one.md', 'a/two.md', 'a/b/three.md', 'a/b/four.txt', 'c/one.md']) {
    await mkdir(notes.at(name.replace(/[^/]*$/, '')), { recursive: true });
    await writeFile(notes.at(name), `# ${name}\n\nBees dance in ${name}.\n`);
  }
}, 60_000);
afterAll(() => rm(notes.folder, { recursive: true, force: true }));

const add = (index: string, ...sources: string[]): Promise<Outcome> =>
  runCli(['add', notes.at(index), ...sources.map((source) => notes.at(source)), ...notes.options]);
const lines = ({ stdout }: Outcome): string[] =>
  stdout.split('\n').filter((line) => /: \d+ added/.test(line));

async function idsOf(index: string): Promise<string[]> {
  const reader = await Index.open(notes.at(index), { encoder: false });
  const { hits } = await reader.search('bees', { mode: 'keywords', k: 100, groupBy: 'source' });
  await reader.close();
  return hits.map(({ id }) => id).sort();
}

test('files of one folder are added in one go, those of another in their own', async () => {
  const outcome = await add('some.lemur', 'a/one.md', 'c/one.md', 'a/two.md');
  expect(lines(outcome).map((line) => line.slice(notes.at('some.lemur').length))).toEqual([
    ': 2 added, as 2 passages; 2 documents in 2 passages',
    ': 1 added, as 1 passage; 3 documents in 3 passages',
  ]);
  expect(outcome.stdout.match(/^Next:$/gm)).toHaveLength(1);
  const again = await add('some.lemur', 'a/one.md', 'c/one.md', 'a/two.md');
  expect(again.stdout).toMatch(/: 0 added, 2 unchanged\n.*: 0 added, 1 unchanged\n$/);
});

test('a pattern that no shell has read is the files that it fits', async () => {
  await add('pattern.lemur', 'a/**/*.md');
  expect(await idsOf('pattern.lemur')).toEqual(['b/three.md', 'one.md', 'two.md']);
  await add('pattern.lemur', 'a/b/f?ur.[st]xt');
  expect(await idsOf('pattern.lemur')).toEqual(['b/four.txt', 'b/three.md', 'one.md', 'two.md']);
});

test('a file whose name looks like a pattern is that file', async () => {
  await writeFile(notes.at('c/[x].md'), 'Bees.');
  await add('named.lemur', 'c/[x].md');
  expect(await idsOf('named.lemur')).toEqual(['[x].md']);
});

test.each([
  ['a file that is not there', ['a/one.md', 'none.md'], /none\.md: no such file or folder\n$/],
  ['a pattern that nothing fits', ['a/one.md', 'a/*.rst'], /no file fits this pattern\n$/],
])('of several sources, %s is an error before anything is written', async (_, sources, said) => {
  const { code, stderr } = await add('never.lemur', ...sources);
  expect([code, stderr]).toEqual([1, expect.stringMatching(said)]);
  await expect(Index.open(notes.at('never.lemur'))).rejects.toMatchObject({ code: 'not-found' });
});

test('one folder is followed, and not several', async () => {
  const { code, stderr } = await runCli(['add', notes.at('x.lemur'), 'a', 'c', '--watch']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('a: no such file or folder')]);
  const there = [notes.at('a'), notes.at('c')];
  const both = await runCli(['add', notes.at('x.lemur'), ...there, '--watch']);
  expect([both.code, both.stderr]).toEqual([
    1,
    'lemur: --watch: follows one folder, got 2 sources\n',
  ]);
});
