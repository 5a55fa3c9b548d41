import { mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Index, LemurError, memoryStorage, type Storage } from '../../../dist/entry/node.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { five, ids, idsOf, isWindows, options } from './store-folders.js';

const root = await temporaryFolder('store');

let made = 0;
let at: string;
beforeEach(() => {
  at = join(root, `${made++}`);
});

describe('what failed for a while', () => {
  const failed = () =>
    new LemurError('storage-failed', 'too many files are open', { where: 'here' });

  test.skipIf(isWindows)(
    'a lock that could not be deleted: closing may be called again, ' +
      'and the process can open the collection either way',
    async () => {
      const index = await Index.create(at, options);
      const lock = join(at, 'writer.lock');
      await rename(lock, `${at}-lock`);
      await mkdir(lock);
      await expect(index.close()).rejects.toMatchObject({ code: 'storage-failed' });
      await expect(index.add(five('a'))).rejects.toMatchObject({ code: 'closed' });
      await rmdir(lock);
      await rename(`${at}-lock`, lock);
      const again = await Index.open(at, { write: true, threads: 1 });
      // the other one's by now
      await index.close();
      await again.add(five('a'));
      await again.close();
      expect(await readdir(at)).not.toContain('writer.lock');
    },
  );

  test.each([
    ['in place', true],
    ['not in place', false],
  ])(
    'a commit that could not be read back, and was %s: the next call finds out',
    async (_, replaced) => {
      const storage = memoryStorage();
      let fails = false;
      const watched: Storage = {
        ...storage,
        async read(file) {
          if (fails) throw failed();
          return storage.read(file);
        },
        async replace(file, bytes, check) {
          await check?.();
          if (replaced || !armed) await storage.replace(file, bytes);
          if (armed) fails = true;
          if (armed) throw failed();
        },
      };
      let armed = false;
      const index = await Index.create(watched, options);
      await index.add(five('a'));
      armed = true;
      await expect(index.add(five('b'))).rejects.toMatchObject({
        message: 'too many files are open',
      });
      // as long as it lasts
      await expect(index.add(five('c'))).rejects.toMatchObject({
        message: 'too many files are open',
      });
      armed = fails = false;
      await index.add(five('c'));
      const expected = replaced ? ids('a', 'b', 'c') : ids('a', 'c');
      expect(index.size).toBe(expected.length);
      await index.close();
      expect(await idsOf(storage, ['a', 'b', 'c'])).toEqual(expected);
    },
  );

  test('a collection that could not be opened after it was made was not made', async () => {
    const storage = memoryStorage();
    let reads = 0;
    const watched: Storage = {
      ...storage,
      async read(file) {
        if (++reads === 4) throw failed();
        return storage.read(file);
      },
    };
    for (let i = 0; ; i++) {
      const index = await Index.create(watched, options).catch(() => undefined);
      if (index) {
        await index.close();
        break;
      }
      expect(i).toBeLessThan(1);
      expect(await storage.list()).toEqual([]);
    }
  });
});
