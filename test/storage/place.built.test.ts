import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { folderStorage, Index, Lemur, memoryStorage } from '../../dist/entry/node.js';

const root = await realpath(await mkdtemp(join(tmpdir(), 'lemur-place-')));
afterAll(() => rm(root, { recursive: true }));
let made = 0;
let folder: string;
beforeEach(() => {
  folder = join(root, `${made++}`);
});

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

test.skipIf(process.platform === 'win32')(
  'a relative path where the working directory was removed is an error that says so',
  async () => {
    const before = process.cwd();
    await mkdir(folder);
    process.chdir(folder);
    try {
      await rm(folder, { recursive: true });
      const gone = {
        code: 'not-found',
        message: expect.stringContaining('the working directory is gone'),
      };
      await expect(Index.create('here', { dim: 4 })).rejects.toMatchObject(gone);
      await expect(Index.open('here')).rejects.toMatchObject(gone);
      await expect(Lemur.load('here')).rejects.toMatchObject(gone);
      expect(() => folderStorage('here')).toThrow(expect.objectContaining(gone));
    } finally {
      process.chdir(before);
    }
  },
);

test('a relative path means what it meant when it was given', async () => {
  const before = process.cwd();
  await mkdir(join(folder, 'elsewhere'), { recursive: true });
  process.chdir(folder);
  try {
    const storage = folderStorage('here');
    process.chdir('elsewhere');
    await storage.write('a.bin', bytes);
    const lock = await storage.lock('lock');
    await storage.replace('b.bin', bytes);
    await lock.confirm?.();
    await lock.release();
    expect((await storage.list()).sort()).toEqual(['a.bin', 'b.bin']);
    expect(storage.name).toBe('here');
    expect((await readdir(join(folder, 'here'))).sort()).toEqual(['a.bin', 'b.bin']);
    expect(await readdir('.')).toEqual([]);
  } finally {
    process.chdir(before);
  }
});

test('a file: URL is a path, as an object and as a string', async () => {
  const at = join(folder, 'with a space');
  await folderStorage(pathToFileURL(at)).write('a.bin', bytes);
  await folderStorage(String(pathToFileURL(at))).write('b.bin', bytes);
  expect((await readdir(at)).sort()).toEqual(['a.bin', 'b.bin']);
  expect(folderStorage(pathToFileURL(at)).name).toBe(at);
  const index = await Index.create(pathToFileURL(join(folder, 'index')), { dim: 4, threads: 1 });
  await index.close();
  await (await Index.open(String(pathToFileURL(join(folder, 'index'))), { threads: 1 })).close();
});

test('what is no path is refused by what was got, and makes no folder', async () => {
  const before = (await readdir('.')).sort();
  for (const [at, got] of [
    ['', 'an empty string'],
    ['file:', 'file:'],
    ['file:notes', 'file:notes'],
    ['file:///a%00b', 'NUL'],
    ['a\0b', 'NUL'],
    ['https://example.org/a', 'https://example.org/a'],
    [new URL('https://example.org/a'), 'https://example.org/a'],
    [5, 'number'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{}, 'object'],
    [{ ...memoryStorage(), open: undefined }, 'object'],
  ] as [string, string][]) {
    const refused = { code: 'invalid-argument', message: expect.stringContaining(got) };
    for (const call of [
      () => Index.create(at, { dim: 4 }),
      () => Index.open(at),
      () => Lemur.load(at),
      () => Lemur.importReference(at),
      () => Lemur.importTxtai(at),
    ])
      await expect(call()).rejects.toMatchObject(refused);
    expect(() => folderStorage(at)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  }
  expect((await readdir('.')).sort()).toEqual(before);
});

test('a file in place of the folder, or above it, is called so', async () => {
  await mkdir(folder);
  await writeFile(join(folder, 'file'), 'mine');
  for (const at of [join(folder, 'file'), join(folder, 'file', 'below')]) {
    await expect(Index.open(at)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('expected a folder'),
    });
    await expect(Index.create(at, { dim: 4 })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('expected a folder'),
    });
    await expect(Lemur.load(at)).rejects.toMatchObject({ code: 'not-found' });
  }
});

describe.skipIf(process.platform === 'win32')(
  'a lock is confirmed while it is held, and not',
  () => {
    const gone = { code: 'storage-failed', message: expect.stringContaining('the lock is gone') };

    test('when the folder was moved, or removed, or another took its place; then nothing is made or changed there', async () => {
      for (const change of [
        () => rename(folder, `${folder}-moved`),
        () => rm(folder, { recursive: true }),
        async () => {
          await rename(folder, `${folder}-old`);
          await folderStorage(folder).write('a.bin', bytes);
        },
      ]) {
        folder = join(root, `${made++}`);
        const storage = folderStorage(folder);
        const lock = await storage.lock('lock');
        await lock.confirm?.();
        await change();
        const before = await readdir(folder).catch(() => null);
        await expect(lock.confirm?.()).rejects.toMatchObject(gone);
        await expect(
          storage.replace('a.bin', bytes, () => lock.confirm?.() ?? Promise.resolve()),
        ).rejects.toMatchObject({
          code: 'storage-failed',
        });
        if (before === null)
          await expect(storage.write('b.bin', bytes)).rejects.toMatchObject({
            code: 'storage-failed',
          });
        expect(await readdir(folder).catch(() => null)).toEqual(before);
        await lock.release();
        expect(await readdir(folder).catch(() => null)).toEqual(before);
      }
    });

    test('when a folder takes its place just before the last step', async () => {
      const storage = folderStorage(folder);
      const lock = await storage.lock('lock');
      await storage.replace('a.bin', bytes);
      const swapped = storage.replace('a.bin', bytes.subarray(1), async () => {
        await rename(folder, `${folder}-moved`);
        await folderStorage(folder).write('a.bin', bytes.subarray(2));
      });
      await expect(swapped).rejects.toMatchObject({ code: 'storage-failed' });
      expect(Uint8Array.from(await folderStorage(folder).read('a.bin'))).toEqual(bytes.subarray(2));
      expect(Uint8Array.from(await folderStorage(`${folder}-moved`).read('a.bin'))).toEqual(bytes);
      await lock.release();
    });

    test('when a copy of its folder took its place, lock included, however it was copied; both can be locked again afterwards', async () => {
      for (const preserveTimestamps of [false, true]) {
        folder = join(root, `${made++}`);
        const lock = await folderStorage(folder).lock('lock');
        await rename(folder, `${folder}-moved`);
        await cp(`${folder}-moved`, folder, { recursive: true, preserveTimestamps });
        await expect(lock.confirm?.()).rejects.toMatchObject(gone);
        await lock.release();
        expect(await readdir(folder)).toEqual(['lock']);
        for (const at of [folder, `${folder}-moved`])
          await (await folderStorage(at).lock('lock')).release();
      }
    });

    test('but a lock whose mode was changed is held still', async () => {
      const lock = await folderStorage(folder).lock('lock');
      await chmod(join(folder, 'lock'), 0o600);
      await lock.confirm?.();
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    });

    test('when its file was deleted, and another has it', async () => {
      const lock = await folderStorage(folder).lock('lock');
      await unlink(join(folder, 'lock'));
      await expect(lock.confirm?.()).rejects.toMatchObject(gone);
      const other = await folderStorage(folder).lock('lock');
      await expect(lock.confirm?.()).rejects.toMatchObject({
        code: 'locked',
        fields: { owner: expect.stringContaining('process') },
      });
      await lock.release();
      await other.confirm?.();
      await other.release();
      await expect(other.confirm?.()).rejects.toMatchObject({ code: 'storage-failed' });
    });
  },
);

test('a lock whose file could not be deleted is taken over by the process that gave it back', async () => {
  const storage = folderStorage(folder);
  const lock = await storage.lock('lock');
  // as a folder that was moved with its lock
  await rename(folder, `${folder}-moved`);
  await lock.release();
  const again = await folderStorage(`${folder}-moved`).lock('lock');
  await expect(folderStorage(`${folder}-moved`).lock('lock')).rejects.toMatchObject({
    code: 'locked',
  });
  await again.confirm?.();
  await again.release();
  expect(await readdir(`${folder}-moved`)).toEqual([]);
});
