import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderStorage, type Storage } from '../../dist/entry/node.js';
import { temporaryFolder } from '../temporary-folder.js';
import { mountSmallDisk } from './small-disk.js';

const root = await temporaryFolder('full');
const mounted = mountSmallDisk(root, '64k');
const isRoot = process.getuid?.() === 0;

const small = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
const large = new Uint8Array(200_000).fill(1);

/** That `call` fails with a reason in words, and the system's own error behind it. */
async function refused(
  call: Promise<unknown>,
  at: string,
  reason: string,
  code: string,
): Promise<void> {
  await expect(call).rejects.toMatchObject({
    name: 'LemurError',
    code: 'storage-failed',
    message: expect.stringMatching(new RegExp(`^${at}: could not be \\w+: ${reason}$`)),
    fields: { where: at },
    cause: expect.objectContaining({ code }),
  });
}

const changes = (storage: Storage): (readonly [string, () => Promise<unknown>])[] => [
  ['new', () => storage.write('new', small)],
  ['kept', () => storage.write('kept', small)],
  ['kept', () => storage.replace('kept', small)],
  ['kept', () => storage.delete('kept')],
  ['lock', () => storage.lock('lock')],
];

// who is not root cannot mount one
describe.skipIf(!mounted)('a disk of 64 KiB, mounted', () => {
  test('says that it is full, keeps what there was and nothing of what was begun', async () => {
    const folder = join(root, 'full');
    const storage = folderStorage(folder);
    await storage.write('kept', small);
    await refused(
      storage.write('new', large),
      join(folder, 'new'),
      'no space left on the device',
      'ENOSPC',
    );
    await refused(
      storage.replace('kept', large),
      join(folder, 'kept'),
      'no space left on the device',
      'ENOSPC',
    );
    expect(await storage.list()).toEqual(['kept']);
    expect(Uint8Array.from(await storage.read('kept'))).toEqual(small);
    // and goes on when there is room
    await storage.replace('kept', large.subarray(0, 20_000));
    await storage.write('new', small);
    await storage.sync();
    expect((await storage.list()).sort()).toEqual(['kept', 'new']);
  });

  test('has no lock that is half written', async () => {
    const folder = join(root, 'filled');
    const storage = folderStorage(folder);
    await mkdir(folder);
    await writeFile(join(root, 'rest'), large).catch(() => {});
    await refused(
      storage.lock('lock'),
      join(folder, 'lock'),
      'no space left on the device',
      'ENOSPC',
    );
    expect(await storage.list()).toEqual([]);
    rmSync(join(root, 'rest'));
    await (await storage.lock('lock')).release();
  });

  test('that is read-only says so', async () => {
    const folder = join(root, 'read-only');
    const storage = folderStorage(folder);
    await storage.write('kept', small);
    const lock = await storage.lock('held');
    execFileSync('mount', ['-o', 'remount,ro', root]);
    try {
      for (const [file, change] of changes(storage))
        await refused(change(), join(folder, file), 'the file system is read-only', 'EROFS');
      await refused(lock.release(), join(folder, 'held'), 'the file system is read-only', 'EROFS');
      expect(Uint8Array.from(await storage.read('kept'))).toEqual(small);
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', root]);
    }
    await lock.release();
    expect(await storage.list()).toEqual(['kept']);
  });
});

// no permission stops root
test.skipIf(isRoot || process.platform === 'win32')(
  'a folder that may only be read says so',
  async () => {
    const folder = join(root, 'no-permission');
    const storage = folderStorage(folder);
    await storage.write('kept', small);
    chmodSync(folder, 0o500);
    for (const [file, change] of changes(storage).filter(([name]) => name !== 'kept')) {
      await refused(change(), join(folder, file), 'no permission', 'EACCES');
    }
    chmodSync(folder, 0o700);
  },
);

test('a folder below a file, or with a name that is too long, says so', async () => {
  await writeFile(join(root, 'file'), small);
  for (const [folder, code] of [
    [join(root, 'file', 'below'), 'ENOTDIR'],
    [join(root, 'long'.repeat(200)), 'ENAMETOOLONG'],
  ]) {
    const storage = folderStorage(folder);
    for (const [file, change] of changes(storage)) {
      // nothing to delete is no failure
      if (file === 'kept') continue;
      await refused(change(), join(folder, file), '.*(is none|is too long)', code);
    }
    await storage.delete('kept');
  }
});
