import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { readFolder } from '../../dist/entry/node-files.js';
import { sentencesOf, wordEncoder } from './passage-encoder.js';

const LONG = sentencesOf('ant', 100);
const RULES = { by: 'auto', size: 40, overlap: 0 };

let notes: string;
beforeEach(async () => {
  notes = await mkdtemp(join(tmpdir(), 'lemur-notes-'));
  await writeFile(join(notes, 'long.txt'), LONG);
});
afterEach(() => rm(notes, { recursive: true }));

const made = (options = {}) =>
  Index.create(memoryStorage(), { encoder: wordEncoder(), threads: 1, ...options });

describe('a folder that comes into an empty index', () => {
  test('is cut into passages, whose text is all of the file', async () => {
    const index = await made();
    const { passages } = await index.mirror(readFolder(notes));
    expect(passages).toBeGreaterThan(1);
    expect(index.stats().passages).toEqual(RULES);
    expect((await index.get('long.txt'))?.text).toBe(LONG);
    const { hits } = await index.search('ant99', { groupBy: 'source' });
    expect(hits.map(({ id }) => id)).toEqual(['long.txt']);
    await index.close();
  });

  test('is cut by the rules of the index, where it has some', async () => {
    const index = await made({ passages: { size: 20 } });
    await index.mirror(readFolder(notes));
    expect(index.stats().passages).toEqual({ ...RULES, size: 20 });
    await index.close();
  });

  test('stays whole where that is asked for', async () => {
    const index = await made();
    await index.mirror(readFolder(notes), { passages: false });
    expect(index.stats().passages).toBeNull();
    expect(index.size).toBe(1);
    await index.close();
  });

  test('is not cut by an index that has whole documents', async () => {
    const index = await made();
    await index.add({ id: 'own', text: 'A document of its own.' });
    await index.mirror(readFolder(notes));
    expect(index.stats().passages).toBeNull();
    expect(index.size).toBe(2);
    await index.close();
  });

  test('changes nothing where the run is dry', async () => {
    const index = await made();
    expect(await index.mirror(readFolder(notes), { dryRun: true })).toMatchObject({ added: 1 });
    expect(index.stats().passages).toBeNull();
    await index.close();
  });
});

test('a renamed file is found by its words under its new name alone', async () => {
  const index = await made();
  await writeFile(join(notes, 'error.txt'), 'It ends with ERR_MODULE_NOT_FOUND.');
  await index.mirror(readFolder(notes));
  const found = async () =>
    (await index.search('ERR_MODULE_NOT_FOUND', { mode: 'keywords', groupBy: 'source' })).hits.map(
      ({ id }) => id,
    );
  expect(await found()).toEqual(['error.txt']);
  await rm(join(notes, 'error.txt'));
  await writeFile(join(notes, 'fault.txt'), 'It ends with ERR_MODULE_NOT_FOUND.');
  expect(await index.mirror(readFolder(notes))).toMatchObject({ renamed: 1, added: 0 });
  expect(await found()).toEqual(['fault.txt']);
  await index.close();
});

test('a file that is gone is told of where it stays', async () => {
  const index = await made();
  await writeFile(join(notes, 'short.txt'), 'It was here.');
  await index.mirror(readFolder(notes));
  await rm(join(notes, 'short.txt'));
  const kept = { added: 0, deleted: 0, unchanged: 1, stale: 1 };
  expect(await index.mirror(readFolder(notes), { delete: false })).toMatchObject(kept);
  expect(await index.mirror(readFolder(notes), { force: true })).not.toHaveProperty('stale');
  expect(await index.get('short.txt')).toBeUndefined();
  await index.close();
});
