import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Index } from '../../../dist/entry/node.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { documentsOf, matrixOf, randomOf } from '../random-documents.js';
import { DIM, five, options } from './store-folders.js';

const root = await temporaryFolder('store');

let made = 0;
let at: string;
beforeEach(() => {
  at = join(root, `${made++}`);
});

describe('a reader', () => {
  const query = matrixOf(3, DIM, randomOf(9));

  test('of a folder that was made anew sees the new collection alone, whatever its generation and names are', async () => {
    const make = async (prefix: string, commits: number): Promise<void> => {
      const index = await Index.create(at, options);
      for (let i = 0; i < commits; i++)
        await index.add(documentsOf(3, DIM, 7 * commits + i, `${prefix}${i}-`));
      await index.close();
    };
    await make('old', 3);
    const reader = await Index.open(at, { threads: 1 });
    expect(await reader.refresh()).toBe(false);
    for (const [i, commits] of [3, 2, 1, 1].entries()) {
      await rm(at, { recursive: true });
      await expect(reader.refresh()).rejects.toMatchObject({ code: 'not-found' });
      await make(`new${i}-`, commits);
      expect(await reader.refresh()).toBe(true);
      expect(reader.size).toBe(3 * commits);
      const fresh = await Index.open(at, { threads: 1 });
      const [seen, expected] = [
        await reader.search(query, { k: 20 }),
        await fresh.search(query, { k: 20 }),
      ];
      expect(seen.hits).toEqual(expected.hits);
      expect(
        seen.hits.every(({ id, text }) => id.startsWith(`new${i}-`) && text?.includes(id)),
      ).toBe(true);
      expect((await reader.verify()).problems).toEqual([]);
      await fresh.close();
      expect(await reader.refresh()).toBe(false);
    }
    await reader.close();
  });

  test('of a folder that is another encoder’s by now says so, and keeps the state that it has', async () => {
    const encoder = (id: string, dim: number) => ({
      ...{ id, dim, close: async () => {} },
      encodeDocument: async () => Promise.reject(new Error('not asked')),
      encodeQuery: async () => Promise.reject(new Error('not asked')),
    });
    const index = await Index.create(at, options);
    await index.add(five('a'));
    await index.close();
    const reader = await Index.open(at, { threads: 1, encoder: encoder('one', DIM) as never });
    await rm(at, { recursive: true });
    await (await Index.create(at, { dim: 4, threads: 1 })).close();
    await expect(reader.refresh()).rejects.toMatchObject({ code: 'dimension-mismatch' });
    expect(reader.size).toBe(5);
    expect((await reader.search(query)).hits).toHaveLength(5);
    await reader.close();
  });

  test('finds no fault with files that a later state does without, and every fault with those that it needs', async () => {
    const index = await Index.create(at, { ...options, features: 'random' });
    await index.add(documentsOf(40, DIM));
    await index.fit({ olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 16 });
    await index.delete('a1');
    const reader = await Index.open(at, { threads: 1 });
    await index.compact();
    await index.fit({
      olsSampleSize: 64,
      finalHiddenDim: 16,
      prefixDim: 8,
      trainSubsetSize: 16,
      seed: 3,
    });
    expect((await reader.verify()).problems).toEqual([]);
    await reader.refresh();
    for (const name of (await readdir(at)).filter((file) => file.endsWith('.safetensors'))) {
      await rename(join(at, name), `${at}-aside`);
      expect((await reader.verify()).problems).toEqual([expect.stringContaining(name)]);
      await rename(`${at}-aside`, join(at, name));
    }
    await reader.close();
    await index.close();
  });
});
