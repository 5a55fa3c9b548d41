import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderStorage, Index, Lemur, memoryStorage, type Storage } from '../../dist/entry/node.js';
import { randomTexts } from '../numbers.js';
import { QUICK, small } from './corpus.js';
import { answers } from './saved-answers.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a folder that others use too', () => {
  const LEARN = { olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 16 };

  /** A save as version 1 was, with the names of its files. */
  async function saveOld(lemur: Lemur, to: Storage): Promise<void> {
    const storage = memoryStorage();
    await lemur.save(storage);
    const { lemur: manifest } = JSON.parse(
      new TextDecoder().decode(await storage.read('lemur.json')),
    );
    for (const entry of Object.values<{ name: string } | undefined>(manifest.files)) {
      if (!entry) continue;
      await to.write(entry.name.replace('lemur-', ''), await storage.read(entry.name));
      entry.name = entry.name.replace('lemur-', '');
    }
    await to.write(
      'lemur.json',
      new TextEncoder().encode(
        `${JSON.stringify({ format: 'lemur', version: 1, ...manifest }, null, 2)}\n`,
      ),
    );
  }

  test('an index and a saved Lemur lie in one folder, whichever came first, and a save of before is read and replaced', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    const expected = await answers(lemur);
    for (const order of ['index', 'saved', 'saved before'] as const) {
      const path = join(folder, `both-${order}`);
      const make = async (): Promise<void> => {
        const index = await Index.create(path, { dim: 16, features: 'random', threads: 1 });
        await index.add(
          Array.from({ length: 40 }, (_, i) => ({
            id: `a${i}`,
            tokens: { data: randomTexts(i + 1, [3], 16).vectors, dims: [3, 16] },
          })),
        );
        await index.fit(LEARN);
        await index.close();
      };
      const save = (): Promise<void> =>
        order === 'saved before' ? saveOld(lemur, folderStorage(path)) : lemur.save(path);
      if (order === 'index') await make();
      await save();
      if (order !== 'index') await make();
      for (let i = 0; i < 2; i++) {
        const loaded = await Lemur.load(path);
        expect(await answers(loaded)).toEqual(expected);
        loaded.close();
        const index = await Index.open(path, { write: true, threads: 1 });
        await index.delete(`a${i}`);
        await index.compact();
        expect((await index.verify()).problems).toEqual([]);
        expect(index.size).toBe(39 - i);
        await index.close();
        await lemur.save(path);
      }
      const names = await readdir(path);
      expect(names.filter((name) => /weights|solver/.test(name))).toHaveLength(2);
    }
    lemur.close();
  });

  test('a save leaves what others have there, also under such names, and does not take the place of another lemur.json', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    const own = [
      'model.1.safetensors',
      'weights.7.safetensors',
      'lemur-model.1.safetensors',
      'lemur.json.tmp',
      'notes.txt',
    ];
    const storage = folderStorage(join(folder, 'others'));
    for (const name of own) await storage.write(name, new TextEncoder().encode(`mine: ${name}`));
    await lemur.save(storage);
    await lemur.save(storage);
    for (const name of own)
      expect(new TextDecoder().decode(await storage.read(name))).toBe(`mine: ${name}`);
    (await Lemur.load(storage)).close();
    await storage.replace('lemur.json', new TextEncoder().encode('{"name":"lemur"}'));
    await expect(lemur.save(storage)).rejects.toMatchObject({
      code: 'already-exists',
      message: expect.stringContaining('lemur.json'),
    });
    expect(new TextDecoder().decode(await storage.read('lemur.json'))).toBe('{"name":"lemur"}');
    lemur.close();
  });

  test('of two saves at once one is told that the other is under way; a folder that is swapped meanwhile is left alone', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    const path = join(folder, 'at-once');
    const outcomes = await Promise.allSettled([
      lemur.save(path),
      lemur.save(path),
      lemur.save(path),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'locked' });
    const storage = folderStorage(path);
    const swapped: Storage = {
      ...storage,
      async sync() {
        await storage.sync();
        await rename(path, `${path}-moved`);
        await mkdir(path);
        await writeFile(join(path, 'lemur.json'), 'mine');
      },
    };
    await expect(lemur.save(swapped)).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await readdir(path)).toEqual(['lemur.json']);
    expect(await readFile(join(path, 'lemur.json'), 'utf8')).toBe('mine');
    (await Lemur.load(`${path}-moved`)).close();
    await lemur.save(`${path}-moved`);
    lemur.close();
  });

  test('a load while others save gets one save or the other', async () => {
    const [older, newer] = [
      await Lemur.fit(small, QUICK),
      await Lemur.fit(small, { ...QUICK, seed: 4 }),
    ];
    const [old, fresh] = [await answers(older), await answers(newer)];
    const storage = memoryStorage();
    await older.save(storage);
    let opens = 0;
    const loaded = await Lemur.load({
      ...storage,
      async open(name) {
        if (opens++ === 1) await newer.save(storage);
        return storage.open(name);
      },
    });
    expect([old, fresh]).toContainEqual(await answers(loaded));
    for (const lemur of [older, newer, loaded]) lemur.close();
  });

  test.skipIf(process.platform === 'win32')(
    'a named pipe in place of any file is an error at once',
    { timeout: 20_000 },
    async () => {
      const lemur = await Lemur.fit(small, QUICK);
      const path = join(folder, 'pipes');
      await lemur.save(path);
      for (const name of await readdir(path)) {
        await rename(join(path, name), join(folder, 'aside'));
        execFileSync('mkfifo', [join(path, name)]);
        await expect(Lemur.load(path)).rejects.toMatchObject({
          code: 'not-found',
          message: expect.stringContaining(`${name}: a named pipe`),
        });
        await rm(join(path, name));
        await rename(join(folder, 'aside'), join(path, name));
      }
      lemur.close();
    },
  );
});
