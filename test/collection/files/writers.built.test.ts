import { cp, mkdir, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { folderStorage, Index, memoryStorage, type Storage } from '../../../dist/entry/node.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { filesOf, five, ids, idsOf, isWindows, options } from './store-folders.js';

const root = await temporaryFolder('store');

let made = 0;
let at: string;
beforeEach(() => {
  at = join(root, `${made++}`);
});

test('a collection stays where it was made when the working directory changes', async () => {
  const before = process.cwd();
  await mkdir(join(at, 'elsewhere'), { recursive: true });
  process.chdir(at);
  try {
    const creating = Index.create('notes', options);
    process.chdir('elsewhere');
    const index = await creating;
    await index.add(five('a'));
    await index.close();
    expect(await readdir('.')).toEqual([]);
  } finally {
    process.chdir(before);
  }
  expect(await idsOf(join(at, 'notes'), ['a'])).toEqual(ids('a'));
});

describe.skipIf(isWindows)('a writer whose folder', () => {
  const refused = { code: 'storage-failed', message: expect.stringContaining('the lock is gone') };

  test.each([
    ['was moved', (folder: string) => rename(folder, `${folder}-moved`)],
    ['was removed', (folder: string) => rm(folder, { recursive: true })],
    [
      'is another collection by now',
      async (folder: string) => {
        await rename(folder, `${folder}-moved`);
        const other = await Index.create(folder, options);
        await other.add(five('o'));
        await other.add(five('p'));
        await other.close();
      },
    ],
    [
      'is a copy of itself by now, lock included,',
      async (folder: string) => {
        await rename(folder, `${folder}-moved`);
        await cp(`${folder}-moved`, folder, { recursive: true });
      },
    ],
    [
      'is a copy of itself by now',
      async (folder: string) => {
        await rename(folder, `${folder}-moved`);
        await cp(`${folder}-moved`, folder, { recursive: true });
        await unlink(join(folder, 'writer.lock'));
      },
    ],
  ])('%s acknowledges nothing more, and changes nothing there', async (_, change) => {
    const index = await Index.create(at, options);
    await index.add(five('a'));
    await change(at);
    const before = await filesOf(at).catch(() => null);
    for (const call of [
      () => index.add(five('b')),
      () => index.delete('a1'),
      () => index.delete({ filter: { lang: 'de' } }),
    ])
      await expect(call()).rejects.toMatchObject(refused);
    expect(index.size).toBe(5);
    expect(await filesOf(at).catch(() => null)).toEqual(before);
    await index.close();
    expect(await filesOf(at).catch(() => null)).toEqual(before);
    if (await stat(`${at}-moved`).catch(() => null)) {
      expect(await idsOf(`${at}-moved`, ['a', 'b'])).toEqual(ids('a'));
      // the lock went with it, and this process knows that it has given it back
      const again = await Index.open(`${at}-moved`, { write: true, threads: 1 });
      await again.add(five('b'));
      await again.close();
    }
  });

  test('is another one only when all is written goes no further', async () => {
    const storage = folderStorage(at);
    let swap = false;
    const watched: Storage = {
      ...storage,
      async sync() {
        await storage.sync();
        if (!swap) return;
        await rename(at, `${at}-moved`);
        await (await Index.create(at, options)).close();
      },
    };
    const index = await Index.create(watched, options);
    await index.add(five('a'));
    swap = true;
    await expect(index.add(five('b'))).rejects.toMatchObject({ code: 'storage-failed' });
    await index.close();
    expect(await idsOf(at, ['a', 'b'])).toEqual([]);
    expect(await idsOf(`${at}-moved`, ['a', 'b'])).toEqual(ids('a'));
  });
});

describe('two writers', () => {
  test('one whose lock was deleted under it acknowledges nothing more, and leaves what the other wrote', async () => {
    const first = await Index.create(at, options);
    await first.add(five('a'));
    await unlink(join(at, 'writer.lock'));
    const second = await Index.open(at, { write: true, threads: 1 });
    await second.add(five('b'));
    const before = await filesOf(at);
    for (const call of [() => first.add(five('c')), () => first.delete('a1')])
      await expect(call()).rejects.toMatchObject({
        code: 'locked',
        fields: { owner: expect.stringContaining('process') },
      });
    expect(await filesOf(at)).toEqual(before);
    await second.add(five('d'));
    await first.close();
    await second.add(five('e'));
    await second.close();
    expect(await idsOf(at, ['a', 'b', 'c', 'd', 'e'])).toEqual(ids('a', 'b', 'd', 'e'));
  });

  /** A storage that gives its lock to all, and cannot say who has it. */
  const withoutLock = (storage: Storage): Storage => ({
    ...storage,
    lock: async () => ({ release: async () => {} }),
  });

  test('of a storage without locks: who finds another manifest than it wrote goes no further', async () => {
    const storage = withoutLock(memoryStorage());
    const first = await Index.create(storage, options);
    await first.add(five('a'));
    const second = await Index.open(storage, { write: true, threads: 1 });
    await second.add(five('b'));
    for (let i = 0; i < 2; i++)
      await expect(first.add(five('c'))).rejects.toMatchObject({
        code: 'storage-failed',
        message: expect.stringContaining('not what this writer wrote last'),
      });
    expect(first.size).toBe(5);
    await first.close();
    await second.add(five('d'));
    await second.close();
    expect(await idsOf(storage, ['a', 'b', 'c', 'd'])).toEqual(ids('a', 'b', 'd'));
  });

  test('when the other commits between the last look and the last step', async () => {
    const storage = withoutLock(memoryStorage());
    let between: (() => Promise<unknown>) | undefined;
    const watched: Storage = {
      ...storage,
      async replace(file, bytes, check) {
        await between?.();
        await storage.replace(file, bytes, check);
      },
    };
    const first = await Index.create(watched, options);
    await first.add(five('a'));
    const second = await Index.open(storage, { write: true, threads: 1 });
    between = () => second.add(five('b'));
    await expect(first.add(five('c'))).rejects.toMatchObject({ code: 'storage-failed' });
    between = undefined;
    await first.close();
    await second.close();
    expect(await idsOf(storage, ['a', 'b', 'c'])).toEqual(ids('a', 'b'));
  });
});
