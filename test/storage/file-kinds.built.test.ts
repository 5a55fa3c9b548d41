import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { folderStorage } from '../../dist/entry/node.js';

const root = await mkdtemp(join(tmpdir(), 'lemur-kinds-'));
afterAll(() => rm(root, { recursive: true }));
let made = 0;
const newFolder = async (): Promise<string> => {
  const folder = join(root, `${made++}`);
  await mkdir(folder);
  return folder;
};

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
const HANG = { timeout: 20_000 };

/** What may lie where a file should, and how it is called. */
const KINDS: readonly (readonly [string, (path: string) => Promise<unknown>, string])[] = [
  ['a folder', (path) => mkdir(path), 'a folder, expected a file'],
  [
    'a named pipe that nobody writes to',
    async (path) => execFileSync('mkfifo', [path]),
    'a named pipe, expected a file',
  ],
  ['a device', (path) => symlink('/dev/zero', path), '(a device|a link), expected a file'],
  [
    'a link to nothing',
    (path) => symlink('nowhere', path),
    '(no such file|a link, expected a file)',
  ],
  ['a link to itself', (path) => symlink(path, path), '(no such file|a link, expected a file)'],
];

describe.skipIf(process.platform === 'win32').each(KINDS)(
  '%s in place of a file',
  (_kind, make, problem) => {
    test('is an error at once, whatever is asked of it', HANG, async () => {
      const folder = await newFolder();
      await make(join(folder, 'a.bin'));
      const storage = folderStorage(folder);
      for (const call of [() => storage.read('a.bin'), () => storage.open('a.bin')])
        await expect(call()).rejects.toMatchObject({
          code: 'not-found',
          message: expect.stringMatching(problem),
        });
    });

    test('is no lock, and is left where it is', HANG, async () => {
      const folder = await newFolder();
      await make(join(folder, 'lock'));
      const before = await lstat(join(folder, 'lock'));
      await expect(folderStorage(folder).lock('lock')).rejects.toMatchObject({
        code: 'storage-failed',
        message: expect.stringMatching(/lock: could not be locked: .*, expected a file$/),
      });
      expect((await lstat(join(folder, 'lock'))).ino).toBe(before.ino);
      expect(await readdir(folder)).toEqual(['lock']);
    });
  },
);

test.skipIf(process.platform === 'win32')(
  'a socket in place of a file is an error at once',
  HANG,
  async () => {
    const folder = await newFolder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
    await expect(folderStorage(folder).read('s')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('a socket'),
    });
    await new Promise((resolve) => server.close(resolve));
  },
);

describe.skipIf(process.platform === 'win32')('a planted link', () => {
  test('redirects no write: what it leads to stays as it was, and a file takes its place', async () => {
    const folder = await newFolder();
    const victim = join(root, 'victim');
    await writeFile(victim, 'mine');
    const storage = folderStorage(folder);
    for (const [name, to] of [
      ['a.bin', victim],
      ['b.bin', join(root, 'not-yet')],
    ]) {
      await symlink(to, join(folder, name));
      await expect(storage.write(name, bytes, { create: true })).rejects.toMatchObject({
        code: 'already-exists',
      });
      await storage.write(name, bytes);
      expect((await lstat(join(folder, name))).isFile()).toBe(true);
      await rm(join(folder, name));
      await symlink(to, join(folder, name));
      await storage.replace(name, bytes);
      expect((await lstat(join(folder, name))).isFile()).toBe(true);
      expect(Uint8Array.from(await storage.read(name))).toEqual(bytes);
    }
    expect(await readFile(victim, 'utf8')).toBe('mine');
    await expect(stat(join(root, 'not-yet'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('with the name that a temporary file might have redirects nothing either', async () => {
    const folder = await newFolder();
    const victim = join(root, 'other-victim');
    await writeFile(victim, 'mine');
    await symlink(victim, join(folder, 'a.bin.tmp'));
    await folderStorage(folder).replace('a.bin', bytes);
    expect(await readFile(victim, 'utf8')).toBe('mine');
    expect((await readdir(folder)).sort()).toEqual(['a.bin', 'a.bin.tmp']);
  });
});

test("a new file takes no other one's place", async () => {
  const storage = folderStorage(await newFolder());
  await storage.write('a.bin', bytes, { create: true });
  await expect(storage.write('a.bin', bytes.subarray(1), { create: true })).rejects.toMatchObject({
    code: 'already-exists',
  });
  expect(Uint8Array.from(await storage.read('a.bin'))).toEqual(bytes);
});

test.skipIf(process.platform === 'win32')(
  'a file that is replaced keeps its mode, whatever the umask',
  async () => {
    const folder = await newFolder();
    const storage = folderStorage(folder);
    for (const mode of [0o600, 0o640, 0o666, 0o400]) {
      await storage.replace('a.bin', bytes);
      await chmod(join(folder, 'a.bin'), mode);
      await storage.replace('a.bin', bytes.subarray(1));
      expect((await stat(join(folder, 'a.bin'))).mode & 0o777).toBe(mode);
    }
  },
);

test.skipIf(process.getuid?.() !== 0)('a file that root replaces keeps its owner', async () => {
  const folder = await newFolder();
  const storage = folderStorage(folder);
  await storage.replace('a.bin', bytes);
  execFileSync('chown', ['12345:54321', join(folder, 'a.bin')]);
  await storage.replace('a.bin', bytes.subarray(1));
  expect(await stat(join(folder, 'a.bin'))).toMatchObject({ uid: 12345, gid: 54321 });
});
