import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { temporaryFolder } from '../temporary-folder.js';
import { expectSameAnswers, queries } from './cached-answers.js';
import { documentsOf } from './random-documents.js';
import { DIM, rejection } from './small-collection.js';

const root = await temporaryFolder('cached-vectors');
describe('an index that keeps the token vectors it has read', () => {
  test('answers as one that reads them each time, through all that changes', () =>
    expectSameAnswers(join(root, 'int8'), 'int8'));

  describe('of which some vectors are damaged on disk', () => {
    const at = join(root, 'damaged');
    let name: string;
    let bytes: Buffer;
    beforeAll(async () => {
      const index = await Index.create(at, { dim: DIM, threads: 1, features: 'exact' });
      await index.add(documentsOf(40, DIM));
      await index.close();
      name = (await readdir(at)).find((file) => file.startsWith('segment')) as string;
      bytes = await readFile(join(at, name));
    });
    afterAll(() => writeFile(join(at, name), bytes));
    /** Turns a bit of a document's first token, or turns it back. */
    const damage = async (): Promise<void> => {
      const length = Number(bytes.readBigUInt64LE());
      const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
      const changed = await readFile(join(at, name));
      changed[8 + length + header.tokens.data_offsets[0]] ^= 1;
      await writeFile(join(at, name), changed);
    };
    const search = (index: Index) => index.search(queries[0], { exact: true, include: [] });

    test('notices when it reads them, as one without a cache does; and what it has read it has', async () => {
      const open = (cacheBytes?: number) => Index.open(at, { threads: 1, cacheBytes });
      const early = await open();
      const before = await search(early);
      await damage();
      const [late, without] = [await open(), await open(0)];
      const [first, second] = [await rejection(search(late)), await rejection(search(without))];
      expect(first).toMatchObject({ code: 'bad-file', fields: { where: join(at, name) } });
      expect(second.message).toBe(first.message);
      expect(await rejection(search(late))).toMatchObject({ code: 'bad-file' });
      expect(await search(early)).toEqual(before);
      expect((await early.verify()).problems).toHaveLength(1);
      await damage();
      expect(await search(late)).toEqual(before);
      for (const index of [early, late, without]) await index.close();
    });
  });

  test.each([-1, 1.5, '1', Number.POSITIVE_INFINITY, null])(
    'takes no %s bytes, and makes and opens nothing then',
    async (cacheBytes) => {
      const at = join(root, 'refused');
      const wrong = { dim: DIM, cacheBytes } as never;
      const error = {
        code: 'invalid-argument',
        message: expect.stringMatching(/^cacheBytes: expected an integer of at least 0, got /),
      };
      await expect(Index.create(at, wrong)).rejects.toMatchObject(error);
      await expect(Index.openOrCreate(at, wrong)).rejects.toMatchObject(error);
      await expect(
        Index.open(join(root, 'damaged'), { cacheBytes } as never),
      ).rejects.toMatchObject(error);
      expect(await readdir(root)).not.toContain('refused');
    },
  );
});
