import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { folderStorage, Index, isLemurError, writeSafetensors } from '../../../dist/entry/node.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { documentsOf } from '../random-documents.js';
import { DIM, filesOf, five, ids, idsOf, isWindows, options } from './store-folders.js';

const root = await temporaryFolder('store');

let made = 0;
let at: string;
beforeEach(() => {
  at = join(root, `${made++}`);
});
const HANG = { timeout: 20_000 };

describe('files of others', () => {
  test('that are called as a collection’s are neither written over nor deleted', async () => {
    const own = {
      'segment.1.safetensors': writeSafetensors({
        weights: { shape: [3], data: Float32Array.of(1, 2, 3) },
      }),
      'model.1.safetensors': writeSafetensors(
        { parameters: { shape: [1], data: Float32Array.of(1) } },
        { format: 'pt' },
      ),
      'codes.2.safetensors': new TextEncoder().encode('what I noted on codes'),
      'deleted.3.safetensors': new TextEncoder().encode(
        '{"__metadata__":{"format":"lemur-deleted"',
      ),
      'keywords.4.safetensors': new TextEncoder().encode('words of mine'),
      'segment.9.safetensors': new TextEncoder().encode('mine'),
      'segment.10.safetensors': new TextEncoder().encode('my'),
      'index.json.tmp': new TextEncoder().encode('mine'),
      'index.json.bak.tmp': new TextEncoder().encode('mine too'),
    };
    const storage = folderStorage(at);
    for (const [name, bytes] of Object.entries(own)) await storage.write(name, bytes);
    const index = await Index.create(at, { ...options, features: 'random' });
    await index.add(documentsOf(40, DIM));
    await index.delete(['a1', 'a2']);
    await index.fit({ olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 16 });
    await index.compact();
    await index.close();
    const again = await Index.open(at, { write: true, threads: 1 });
    await again.add(five('b'));
    expect((await again.verify()).problems).toEqual([]);
    expect(again.size).toBe(43);
    await again.close();
    for (const [name, bytes] of Object.entries(own))
      expect(Uint8Array.from(await storage.read(name)), name).toEqual(bytes);
  });

  test('and what a crash left of a collection’s own is deleted: cut short, never filled, a manifest on its way', async () => {
    const index = await Index.create(at, options);
    await index.add(five('a'));
    await index.close();
    const names = await readdir(at);
    const read = async (kind: string): Promise<Buffer> =>
      readFile(join(at, names.find((name) => name.startsWith(kind)) as string));
    const bytes = await read('segment');
    const left: Record<string, Uint8Array> = {
      'segment.77.safetensors': bytes,
      'segment.78.safetensors': bytes.subarray(0, 100),
      'segment.79.safetensors': bytes.subarray(0, 20),
      'segment.80.safetensors': new Uint8Array(0),
      'segment.81.safetensors': new Uint8Array(5000),
      'keywords.82.safetensors': (await read('keywords')).subarray(0, 100),
      'index.json.0123456789abcdef.tmp': bytes.subarray(0, 50),
      'index.json.tmp': new TextEncoder().encode('{"format":"lemur-index","vers'),
    };
    for (const [name, content] of Object.entries(left)) await writeFile(join(at, name), content);
    const again = await Index.open(at, { write: true, threads: 1 });
    expect((await readdir(at)).sort()).toEqual([...names, 'writer.lock'].sort());
    await again.close();
  });
});

test('where index.json is missing but data files are, nobody is told to make a collection, and none is made', async () => {
  const index = await Index.create(at, options);
  await index.add(five('a'));
  await index.close();
  const manifest = await readFile(join(at, 'index.json'));
  await unlink(join(at, 'index.json'));
  const before = await filesOf(at);
  const problem =
    /index\.json is missing, but data files of a collection are there \(keywords\.\d+\.safetensors and 1 more\): put its index\.json back/;
  const error = await Index.open(at, { write: true }).catch((caught: unknown) => caught as Error);
  expect(error).toMatchObject({ code: 'not-found', message: expect.stringMatching(problem) });
  expect((error as Error).message).not.toContain('Index.create');
  await expect(Index.create(at, options)).rejects.toMatchObject({
    code: 'already-exists',
    message: expect.stringMatching(problem),
  });
  expect(await filesOf(at)).toEqual(before);
  await writeFile(join(at, 'index.json'), manifest);
  expect(await idsOf(at, ['a'])).toEqual(ids('a'));
});

test('an index.json whose end of the line has become that of Windows is read, and written again', async () => {
  const index = await Index.create(at, options);
  await index.add(five('a'));
  await index.close();
  const path = join(at, 'index.json');
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll('\n', '\r\n'));
  expect(await idsOf(at, ['a'])).toEqual(ids('a'));
  const again = await Index.open(at, { write: true, threads: 1 });
  await again.add(five('b'));
  await again.close();
  expect(await readFile(path, 'utf8')).toMatch(/[^\r]\n$/);
  expect(await idsOf(at, ['a', 'b'])).toEqual(ids('a', 'b'));
});

test.skipIf(isWindows)('index.json keeps its mode through commits', async () => {
  const index = await Index.create(at, options);
  await chmod(join(at, 'index.json'), 0o640);
  await index.add(five('a'));
  await index.delete('a1');
  await index.close();
  expect((await stat(join(at, 'index.json'))).mode & 0o777).toBe(0o640);
});

describe.skipIf(isWindows)('in place of a file', () => {
  test.each([
    ['a named pipe', async (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdir(path)],
    ['a device', (path: string) => symlink('/dev/zero', path)],
    ['a link to nothing', (path: string) => symlink('nowhere', path)],
  ] as [string, (path: string) => Promise<unknown>][])(
    '%s is an error at once, for who reads and who writes',
    HANG,
    async (_, make) => {
      const index = await Index.create(at, { ...options, features: 'random' });
      await index.add(documentsOf(40, DIM));
      await index.fit({ olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 16 });
      await index.delete('a1');
      await index.close();
      for (const name of await readdir(at)) {
        const path = join(at, name);
        await rename(path, join(root, 'aside'));
        await make(path);
        for (const write of [false, true]) {
          const error: unknown = await Index.open(at, { write, threads: 1 }).catch(
            (caught: unknown) => caught,
          );
          expect(isLemurError(error), String(error)).toBe(true);
          expect((error as Error).message).toContain(name);
        }
        await rm(path, { recursive: true });
        await rename(join(root, 'aside'), path);
      }
      await make(join(at, 'writer.lock'));
      await expect(Index.open(at, { write: true })).rejects.toMatchObject({
        code: 'storage-failed',
        message: expect.stringContaining('writer.lock'),
      });
      await (await Index.open(at, { threads: 1 })).close();
    },
  );
});
