import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Index } from '../../../dist/entry/node.js';
import { mountSmallDisk } from '../../storage/small-disk.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { documentsOf, matrixOf, randomOf } from '../random-documents.js';

const DIM = 16;
const root = await temporaryFolder('full-disk');
const mounted = mountSmallDisk(root, '2m');

/** Leaves no room for a byte. */
function fill(): void {
  const file = openSync(join(root, 'rest'), 'a');
  try {
    for (;;) writeSync(file, new Uint8Array(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
}

const query = matrixOf(4, DIM, randomOf(5));
const options = { dim: DIM, threads: 1, features: 'random' } as const;
const LEARN = { olsSampleSize: 128, finalHiddenDim: 64, trainSubsetSize: 64 };

describe.skipIf(!mounted)('a collection on a disk of 2 MiB, mounted', () => {
  test('that fills up keeps all that was acknowledged, searches, and goes on when there is room', async () => {
    const at = join(root, 'filled');
    writeFileSync(join(root, 'reserve'), new Uint8Array(700_000));
    const index = await Index.create(at, options);
    await index.add(documentsOf(1000, DIM));
    await index.fit(LEARN);
    let batches = 0;
    const add = () => index.add(documentsOf(1000, DIM, batches, `b${batches}-`));
    const full = (message: string) => ({
      code: 'storage-failed',
      message: expect.stringMatching(message),
      cause: { code: 'ENOSPC' },
    });
    for (;;) {
      const error: unknown = await add().then(
        () => null,
        (reason: unknown) => reason,
      );
      if (error) {
        expect(error).toMatchObject(
          full('filled/.*: could not be written: no space left on the device'),
        );
        break;
      }
      batches++;
      expect(batches).toBeLessThan(40);
    }
    expect(index.size).toBe(1000 * (1 + batches));
    const before = await index.search(query, { k: 20 });
    fill();
    for (const call of [
      add,
      () => index.delete('a1'),
      () => index.fit(LEARN),
      () => index.tune({ sample: 10 }),
    ])
      await expect(call()).rejects.toMatchObject(full('no space left on the device'));
    expect((await index.verify()).problems).toEqual([]);
    expect(await index.search(query, { k: 20 })).toEqual(before);
    await index.close();

    const reader = await Index.open(at, { threads: 1 });
    expect(await reader.search(query, { k: 20 })).toEqual(before);
    await reader.close();
    fill();
    await expect(Index.open(at, { write: true })).rejects.toMatchObject(
      full('no space left on the device'),
    );

    rmSync(join(root, 'rest'));
    rmSync(join(root, 'reserve'));
    const again = await Index.open(at, { write: true, threads: 1 });
    expect(await again.delete({ filter: { lang: 'de' } })).toBe(500 * (1 + batches));
    await again.compact();
    await again.add(documentsOf(500, DIM, 7, 'c'));
    expect(again.size).toBe(500 * (2 + batches));
    expect((await again.verify()).problems).toEqual([]);
    await again.close();
    rmSync(at, { recursive: true });
  });

  test('that is read-only is opened and searched, and not for writing', async () => {
    const at = join(root, 'read-only');
    const index = await Index.create(at, options);
    await index.add(documentsOf(100, DIM));
    await index.fit(LEARN);
    const before = await index.search(query);
    execFileSync('mount', ['-o', 'remount,ro', root]);
    try {
      const refused = {
        code: 'storage-failed',
        message: expect.stringContaining('the file system is read-only'),
      };
      for (const call of [
        () => index.add(documentsOf(1, DIM, 1, 'b')),
        () => index.delete('a1'),
        () => index.fit(LEARN),
      ])
        await expect(call()).rejects.toMatchObject(refused);
      await expect(Index.create(join(root, 'new'), options)).rejects.toMatchObject(refused);
      const reader = await Index.open(at, { threads: 1 });
      expect(await reader.search(query)).toEqual(before);
      expect((await reader.verify()).problems).toEqual([]);
      await reader.close();
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', root]);
    }
    await index.delete('a1');
    await index.close();
  });
});
