import { execFileSync } from 'node:child_process';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  folderStorage,
  Index,
  isLemurError,
  LemurError,
  memoryStorage,
  type Storage,
  writeSafetensors,
} from '../../../dist/entry/node.js';
import { documentsOf, matrixOf, randomOf } from '../random-documents.js';

const DIM = 8;
const options = { dim: DIM, threads: 1 } as const;
const root = await realpath(await mkdtemp(join(tmpdir(), 'lemur-store-')));
afterAll(() => rm(root, { recursive: true }));
let made = 0;
let at: string;
beforeEach(() => {
  at = join(root, `${made++}`);
});
const isWindows = process.platform === 'win32';
const HANG = { timeout: 20_000 };

/** All files of a folder but the lock. */
async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('writer.lock')).sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, (await readFile(join(folder, name))).toString('base64')]),
    ),
  );
}

async function idsOf(where: string | Storage, prefixes: readonly string[]): Promise<string[]> {
  const index = await Index.open(where, { threads: 1 });
  try {
    expect((await index.verify()).problems).toEqual([]);
    const found = await index.get(
      prefixes.flatMap((prefix) => documentsOf(5, DIM, 1, prefix).map(({ id }) => id)),
    );
    const ids = found.flatMap((document) => document?.id ?? []);
    expect(ids).toHaveLength(index.size);
    return ids;
  } finally {
    await index.close();
  }
}

const five = (prefix: string) => documentsOf(5, DIM, 1, prefix);
const ids = (...prefixes: string[]) =>
  prefixes.flatMap((prefix) => five(prefix).map(({ id }) => id));

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
    const segment = (await readdir(at)).find((name) => name.startsWith('segment')) as string;
    const bytes = await readFile(join(at, segment));
    const left: Record<string, Uint8Array> = {
      'segment.77.safetensors': bytes,
      'segment.78.safetensors': bytes.subarray(0, 100),
      'segment.79.safetensors': bytes.subarray(0, 20),
      'segment.80.safetensors': new Uint8Array(0),
      'segment.81.safetensors': new Uint8Array(5000),
      'index.json.0123456789abcdef.tmp': bytes.subarray(0, 50),
      'index.json.tmp': new TextEncoder().encode('{"format":"lemur-index","vers'),
    };
    for (const [name, content] of Object.entries(left)) await writeFile(join(at, name), content);
    const again = await Index.open(at, { write: true, threads: 1 });
    expect((await readdir(at)).sort()).toEqual(['index.json', segment, 'writer.lock']);
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
    /index\.json is missing, but data files of a collection are there \(segment\.\d+\.safetensors\): put its index\.json back/;
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

describe('what failed for a while', () => {
  const failed = () =>
    new LemurError('storage-failed', 'too many files are open', { where: 'here' });

  test.skipIf(isWindows)(
    'a lock that could not be deleted: closing may be called again, and the process can open the collection either way',
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
