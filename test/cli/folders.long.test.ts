import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { makeNotes, type Notes } from './notes.js';
import { type Outcome, runCli, succeed } from './run-cli.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const WORDS = 'otter bee owl lemur river stone cloud paper tree bird plan cache'.split(' ');
const textOf = (i: number, sentences = 6): string =>
  `# Note ${i}\n\n${Array.from(
    { length: sentences },
    (_, j) => `The ${WORDS[(i * 7 + j) % 12]} of day ${i} met ${WORDS[(i + j * 5) % 12]} ${j}.`,
  ).join(' ')}\n`;

let notes: Notes;
beforeAll(async () => {
  notes = await makeNotes();
}, 60_000);
afterAll(() => rm(notes.folder, { recursive: true, force: true }));

const at = (name: string): string => notes.at(name);
const add = (index: string, folder: string, ...more: string[]): Promise<Outcome> =>
  runCli(['add', at(index), at(folder), ...notes.options, ...more]);
const summary = async (...args: Parameters<typeof add>): Promise<string> => {
  const { code, stdout, stderr } = await add(...args);
  if (code !== 0) throw new Error(stderr);
  return stdout.split('\n').find((line) => line.startsWith(at(args[0]))) ?? stdout;
};

async function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(at(folder), name, '..'), { recursive: true });
    await writeFile(join(at(folder), name), content);
  }
}

/** Ids, texts and metadata of an index. */
async function contentsOf(index: string): Promise<unknown[]> {
  const reader = await Index.open(at(index), { encoder: false });
  const { hits } = await reader.search([new Array(reader.dim).fill(0.1)], {
    k: 10_000,
    exact: true,
    groupBy: 'source',
  });
  const ids = hits.map(({ id }) => id).sort();
  const found = await reader.get(ids);
  await reader.close();
  return found.map((one) => ({ id: one?.id, text: one?.text, metadata: one?.metadata }));
}

describe('a folder', () => {
  test('is brought in step: new, changed, renamed and gone files', async () => {
    const files = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i}.md`, textOf(i)]));
    await write('step', { ...files, '.hidden': 'no', 'x.bin': Uint8Array.of(1, 0), 'bad.md': '' });
    await writeFile(at('step/bad.md'), Uint8Array.of(0x61, 0xff));
    expect(await summary('step.lemur', 'step')).toMatch(
      /: 8 added, 3 skipped \(1 binary, 1 hidden, 1 unreadable\), as \d+ passages; 8 documents in \d+ passages$/,
    );
    const again = await add('step.lemur', 'step');
    expect(again.stdout).toMatch(/: 0 added, 8 unchanged, 3 skipped/);
    // nothing was loaded
    expect(again.stderr).toBe('left out bad.md: not UTF-8\n');

    await writeFile(at('step/1.md'), textOf(101));
    await rename(at('step/2.md'), at('step/two.md'));
    await rm(at('step/3.md'));
    await utimes(at('step/4.md'), 1, 1);
    await write('step', { 'deep/new.txt': textOf(9) });
    const before = await contentsOf('step.lemur');
    const dry = await add('step.lemur', 'step', '--delete', '--dry-run');
    expect(dry.stdout.split('\n').slice(0, -2)).toEqual([
      'update 1.md',
      'update 4.md',
      'rename 2.md -> two.md',
      'add    deep/new.txt',
      'delete 3.md',
    ]);
    expect(await contentsOf('step.lemur')).toEqual(before);
    expect(await summary('step.lemur', 'step', '--delete')).toMatch(
      /: 1 added, 2 updated, 1 renamed, 1 deleted, 4 unchanged, 3 skipped/,
    );
    const now = (await contentsOf('step.lemur')) as { id: string; text: string }[];
    expect(now.map(({ id }) => id)).toEqual(
      ['0.md', '1.md', '4.md', '5.md', '6.md', '7.md', 'deep/new.txt', 'two.md'].sort(),
    );
    expect(now.find(({ id }) => id === '1.md')?.text).toBe(textOf(101));
    expect(now.find(({ id }) => id === 'two.md')?.text).toBe(textOf(2));
    const json = JSON.parse((await add('step.lemur', 'step', '--delete', '--json')).stdout);
    expect(json).toMatchObject({ added: 0, deleted: 0, unchanged: 8, reasons: { hidden: 1 } });
  });

  test('that lost most, is empty, mistyped or another one deletes nothing', async () => {
    await cp(at('step'), at('gone'), { recursive: true });
    await summary('gone.lemur', 'gone');
    const before = await contentsOf('gone.lemur');
    await write('other', { '0.md': 'Another note.', 'owl.md': 'Owls.' });
    await mkdir(at('empty'));
    expect(await summary('gone.lemur', 'other', '--delete')).toMatch(/: 2 added, 0 deleted/);
    for (const [name, said] of [
      ['gon', 'no such file or folder'],
      ['empty', 'no folder that has files'],
    ])
      expect((await add('gone.lemur', name, '--delete')).stderr).toContain(said);
    for (const file of await readdir(at('gone')))
      if (!file.startsWith('0')) await rm(join(at('gone'), file), { recursive: true });
    expect(await add('gone.lemur', 'gone', '--delete')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/7 of the 8 documents .* more than half; --force deletes them/),
    });
    expect(await summary('gone.lemur', 'gone')).toMatch(
      /: 0 added, 7 gone \(--delete removes them\), 1 unchanged/,
    );
    const ids = (list: unknown[]): string[] => (list as { id: string }[]).map(({ id }) => id);
    expect(ids(await contentsOf('gone.lemur'))).toEqual(
      [...ids(before), 'other/0.md', 'other/owl.md'].sort(),
    );
    expect(await summary('gone.lemur', 'gone', '--delete', '--force')).toContain('7 deleted');
    expect(ids(await contentsOf('gone.lemur'))).toEqual(['0.md', 'other/0.md', 'other/owl.md']);
  });

  test('that lies in one that is kept in step is refused in one line', async () => {
    await write('outer', { 'a.md': 'A note.', 'deep/b.md': 'Bees.', 'deep/deep/b.md': 'Bears.' });
    await write('outer', { 'deep/deep/deep/b.md': 'Boars.' });
    await summary('outer.lemur', 'outer');
    const { code, stderr } = await add('outer.lemur', 'outer/deep');
    expect([code, stderr.trim().split('\n')]).toEqual([
      1,
      [expect.stringMatching(/kept in step with .*outer already, which this lies in: give that/)],
    ]);
  });

  test('is found by paths from where one stands, whichever folder a file is of', async () => {
    const search = async (cwd: string): Promise<string> => {
      const child = spawn(process.execPath, [MAIN, 'search', at('gone.lemur'), 'owls'], { cwd });
      let out = '';
      for await (const chunk of child.stdout) out += chunk;
      return out;
    };
    expect(await search(notes.folder)).toContain('  other/owl.md:1\n');
    expect(await search(at('gone'))).toContain('  ../other/owl.md:1\n');
    expect(await search(at('gone'))).toMatch(/ {2}0\.md:\d+\n/);
  });

  test('that holds its own index leaves that out', async () => {
    await write('own', { 'a.md': 'A note.', 'index.json': '{"a": 1}' });
    expect(await summary('own/own.lemur', 'own')).toContain('2 added');
    expect(await summary('own/own.lemur', 'own')).toMatch(
      /0 added, 2 unchanged, 1 skipped \(1 of an index\)/,
    );
  });

  test('with options of another kind of source is refused', async () => {
    await writeFile(at('one.jsonl'), '{"id":"1","text":"a"}\n');
    for (const args of [
      [at('one.jsonl'), '--delete'],
      [at('step'), '--watch', '--on-existing', 'skip'],
    ]) {
      const { code, stderr } = await runCli(['add', at('step.lemur'), ...args]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^lemur: --(delete|watch): [^\n]+\n$/);
    }
  });
});

describe('one file', () => {
  const hits = async (index: string, ...more: string[]): Promise<{ id: string; place: string }[]> =>
    JSON.parse((await succeed(['search', at(index), 'bees', '--json', ...more])).stdout).hits;

  test('is of its folder: known again, brought in step, and told from one of its name', async () => {
    await write('fa', { 'readme.md': '---\ntitle: Bees\n---\nBees dance.\n', 'owl.md': 'Owls.' });
    await write('fb', { 'readme.md': 'Boars sleep.' });
    expect(await summary('one.lemur', 'fa/readme.md')).toMatch(/: 1 added, .*; 1 document in/);
    expect(await summary('one.lemur', 'fb/readme.md')).toMatch(/: 1 added, .*; 2 documents in/);
    expect(await summary('one.lemur', 'fb/readme.md')).toMatch(/: 0 added, 1 unchanged$/);
    await write('fb', { 'readme.md': 'Badgers dig.' });
    expect(await summary('one.lemur', 'fb/readme.md')).toMatch(/: 0 added, 1 updated,/);
    const found = await hits('one.lemur');
    expect(found.map(({ id }) => id).sort()).toEqual(['fb/readme.md', 'readme.md']);
    const places = found.map(({ place }) => resolve(place.replace(/:\d+$/, ''))).sort();
    expect(places).toEqual([at('fa/readme.md'), at('fb/readme.md')]);
    expect(await contentsOf('one.lemur')).toMatchObject([
      { id: 'fb/readme.md', text: 'Badgers dig.' },
      { id: 'readme.md', metadata: { title: 'Bees', path: 'readme.md' } },
    ]);
    // the folder adds the others, and what is gone of one deletes nothing of the other
    expect(await summary('one.lemur', 'fa', '--delete')).toMatch(/: 1 added, 0 deleted, 1 unch/);
    expect(await hits('one.lemur')).toHaveLength(3);
  });

  test('of a folder that is kept in step belongs to that one', async () => {
    await write('kept', { 'a.md': 'Ants.', 'deep/b.md': 'Bees.' });
    await summary('kept.lemur', 'kept');
    await write('kept', { 'deep/c.md': 'Crows.' });
    expect(await summary('kept.lemur', 'kept/deep/b.md')).toMatch(/: 0 added, 1 unchanged$/);
    expect(await summary('kept.lemur', 'kept/deep/c.md')).toMatch(/: 1 added, .*; 3 documents/);
    expect(await summary('kept.lemur', 'kept', '--delete')).toMatch(/: 0 added, 0 deleted, 3 unch/);
  });

  test('takes the place of a document that an earlier version added where that is asked for', async () => {
    await write('early', { 'note.md': 'Bees.' });
    await write('late', { 'note.md': 'Owls.' });
    // as it was added before: by its name, from no folder
    await summary('early.lemur', 'early/note.md', '--on-existing', 'skip');
    expect(await summary('early.lemur', 'late/note.md')).toMatch(/: 0 added, 1 skipped, which are/);
    expect(await contentsOf('early.lemur')).toMatchObject([{ id: 'note.md', text: 'Bees.' }]);
    expect(await summary('early.lemur', 'early/note.md', '--replace')).toMatch(/1 updated/);
    expect(await summary('early.lemur', 'late/note.md')).toMatch(/: 1 added/);
    expect(await contentsOf('early.lemur')).toMatchObject([
      { id: 'late/note.md', text: 'Owls.' },
      { id: 'note.md', text: 'Bees.' },
    ]);
  });

  test('without a text, and an empty folder, are errors that make no index', async () => {
    await write('void', { 'blank.md': ' \n' });
    await mkdir(at('nothing'));
    for (const [source, said] of [
      ['void/blank.md', 'blank.md: there is no text in it'],
      ['nothing', 'nothing: an empty folder; expected texts'],
    ]) {
      const { code, stderr } = await add('void.lemur', source);
      expect([code, stderr]).toEqual([1, expect.stringContaining(said)]);
    }
    expect(await readdir(notes.folder)).not.toContain('void.lemur');
  });
});

test('a folder whose files are renamed and gone needs no encoder', async () => {
  await write('moves', { 'a.md': 'Ants.', 'b.md': 'Bees.', 'c.md': 'Crows.' });
  await cp(at('bert'), at('lent'), { recursive: true });
  await succeed(['add', at('moves.lemur'), at('moves'), '--model', at('lent')]);
  await rm(at('lent'), { recursive: true });
  await rename(at('moves/a.md'), at('moves/ant.md'));
  await rm(at('moves/b.md'));
  const { stdout } = await succeed(['add', at('moves.lemur'), at('moves'), '--delete']);
  expect(stdout).toContain('0 added, 1 renamed, 1 deleted, 1 unchanged');
});

test('a run that is killed again and again ends as one that is not', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 120 }, (_, i) => [`${i % 9}/${i}.md`, textOf(i, 30)]),
  );
  await write('many', files);
  await succeed(['add', at('whole.lemur'), at('many'), ...notes.options]);
  let kills = 0;
  for (let run = 0; run < 30; run++) {
    let timer: NodeJS.Timeout | undefined;
    const { code } = await runCli(
      ['add', at('killed.lemur'), at('many'), ...notes.options],
      (child, stderr) => {
        if (stderr.includes('add documents …'))
          timer ??= setTimeout(() => child.kill('SIGKILL'), 150 + 97 * run);
      },
    );
    clearTimeout(timer);
    if (code === 0) break;
    kills++;
  }
  expect(kills).toBeGreaterThan(1);
  // and once more with changes on the way
  for (const [name, i] of [
    ['3/3.md', 1003],
    ['5/5.md', 1005],
  ] as const)
    await writeFile(join(at('many'), name), textOf(i, 30));
  await rename(join(at('many'), '1/1.md'), join(at('many'), '1/one.md'));
  for (const index of ['whole.lemur', 'killed.lemur']) {
    await succeed(['add', at(index), at('many'), '--delete']);
    await succeed(['compact', at(index)]);
  }
  expect(await contentsOf('killed.lemur')).toEqual(await contentsOf('whole.lemur'));
  const [whole, killed] = await Promise.all(
    ['whole.lemur', 'killed.lemur'].map((index) => Index.open(at(index), { encoder: false })),
  );
  const layout = ({ documents, deleted, tokens, segments }: ReturnType<Index['stats']>) => ({
    ...{ documents, deleted, tokens, segments },
  });
  expect(layout(killed.stats())).toEqual(layout(whole.stats()));
  for (let i = 0; i < 8; i++) {
    const query = [Array.from({ length: whole.dim }, (_, j) => Math.sin(i * 31 + j * 7))];
    const options = { k: 20, exact: true };
    const [a, b] = [await whole.search(query, options), await killed.search(query, options)];
    expect(b.hits.map(({ id }) => id)).toEqual(a.hits.map(({ id }) => id));
    for (const [rank, { score }] of b.hits.entries())
      expect(Math.abs(score - a.hits[rank].score)).toBeLessThan(1e-4);
  }
  await Promise.all([whole.close(), killed.close()]);
}, 300_000);

test('a folder that is watched is followed until Ctrl-C', async () => {
  await write('seen', { 'a.md': 'A note.', 'b.md': 'A bee.', 'c.md': 'A cat.' });
  let step = 0;
  const { code, stdout } = await runCli(
    ['add', at('seen.lemur'), at('seen'), ...notes.options, '--watch', '--delete'],
    (child, stderr, stdout) => {
      if (step === 0 && stderr.includes('watching')) {
        step = 1;
        void write('seen', { 'd.md': 'A dog.' }).then(() => rm(at('seen/a.md')));
      } else if (step === 1 && /1 added, 1 deleted/.test(stdout)) {
        step = 2;
        void symlink('/etc', at('seen/etc')).then(() => writeFile(at('seen/b.md'), 'A bat.'));
      } else if (step === 2 && /1 updated/.test(stdout)) {
        step = 3;
        void rename(at('seen'), at('away'));
      } else if (step === 3 && /no such folder/.test(stderr)) {
        // it is another disk's, or the same one's again
        step = 4;
        void write('away', { 'e.md': 'An elk.' }).then(() => rename(at('away'), at('seen')));
      } else if (step === 4 && /: 1 added, 0 deleted/.test(stdout)) {
        step = 5;
        void write('seen', { 'f.md': 'A fox.' });
      } else if (step === 5 && /1 added, 0 deleted.*1 added, 0 deleted/s.test(stdout)) {
        step = 6;
        child.kill('SIGINT');
      }
    },
  );
  expect([code, step]).toEqual([0, 6]);
  expect(stdout).toMatch(/3 added/);
  expect(((await contentsOf('seen.lemur')) as { text: string }[]).map(({ text }) => text)).toEqual([
    'A bat.',
    'A cat.',
    'A dog.',
    'An elk.',
    'A fox.',
  ]);
}, 60_000);
