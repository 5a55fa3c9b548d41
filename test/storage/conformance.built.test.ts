import { once } from 'node:events';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import {
  folderStorage,
  memoryStorage,
  openSafetensors,
  type Storage,
} from '../../dist/entry/node.js';
import { storedSize, withStoredFile } from '../../dist/storage/stored-source.js';
import { faultyStorage } from './faulty-storage.js';

const root = await mkdtemp(join(tmpdir(), 'lemur-storage-'));
afterAll(() => rm(root, { recursive: true }));

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255);
let made = 0;

const readRange = (
  storage: Storage,
  file: string,
  offset: number,
  length: number,
): Promise<Uint8Array> => withStoredFile(storage, file, (opened) => opened.read(offset, length));

// what every storage does alike
describe.each<[string, () => Storage]>([
  ['memory', () => memoryStorage('here')],
  ['a folder', () => folderStorage(join(root, `folder-${made++}`, 'within'))],
  ['memory with faults', () => faultyStorage()],
])('%s', (_name, create) => {
  test('gives back what was written, whole, in ranges and by its size', async () => {
    const storage = create();
    await storage.write('a.bin', bytes);
    expect(Uint8Array.from(await storage.read('a.bin'))).toEqual(bytes);
    expect(await storedSize(storage, 'a.bin')).toBe(1000);
    for (const [offset, length] of [
      [0, 1000],
      [0, 1],
      [999, 1],
      [17, 400],
      [500, 0],
    ]) {
      expect(await readRange(storage, 'a.bin', offset, length)).toEqual(
        bytes.slice(offset, offset + length),
      );
    }
  });

  test('gives fewer bytes of a range that goes beyond the end, none behind it', async () => {
    const storage = create();
    await storage.write('a.bin', bytes);
    expect(await readRange(storage, 'a.bin', 990, 100)).toEqual(bytes.slice(990));
    expect((await readRange(storage, 'a.bin', 1000, 5)).length).toBe(0);
    expect((await readRange(storage, 'a.bin', 2 ** 40, 5)).length).toBe(0);
    // room is made for the bytes that are there
    expect(await readRange(storage, 'a.bin', 0, 2 ** 45)).toEqual(bytes);
  });

  test('keeps its own copy: neither what was given nor what is got is a view of it', async () => {
    const storage = create();
    for (const own of [bytes.slice(), Buffer.from(bytes)]) {
      await storage.write('a.bin', own);
      own.fill(9);
      (await readRange(storage, 'a.bin', 0, 500)).fill(8);
      (await storage.read('a.bin')).fill(7);
      expect(Uint8Array.from(await storage.read('a.bin'))).toEqual(bytes);
    }
  });

  test('lets one of two create a file, however long writing it takes', async () => {
    const storage = create();
    const long = [1, 2].map((value) => new Uint8Array(2 ** 23 + 1).fill(value));
    const made = await Promise.allSettled(
      long.map((own) => storage.write('a.bin', own, { create: true })),
    );
    expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(made.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'already-exists' },
    });
    const first = made.findIndex(({ status }) => status === 'fulfilled');
    expect(Buffer.compare(await storage.read('a.bin'), long[first])).toBe(0);
  });

  test('replaces, lists and deletes', async () => {
    const storage = create();
    expect(await storage.list()).toEqual([]);
    await storage.write('a.bin', bytes);
    await storage.replace('a.bin', bytes.subarray(0, 3));
    await storage.replace('b.bin', bytes);
    expect(await storedSize(storage, 'a.bin')).toBe(3);
    expect((await storage.list()).sort()).toEqual(['a.bin', 'b.bin']);
    await storage.delete('a.bin');
    await storage.delete('a.bin');
    expect(await storage.list()).toEqual(['b.bin']);
    await storage.write('empty', new Uint8Array(0));
    expect([
      await storedSize(storage, 'empty'),
      (await readRange(storage, 'empty', 0, 4)).length,
    ]).toEqual([0, 0]);
  });

  test('says by name that a file is not there', async () => {
    const storage = create();
    for (const call of [() => storage.read('none'), () => storage.open('none')]) {
      await expect(call()).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining('none'),
      });
    }
  });

  test('reads an opened file in parts, also when it was deleted or replaced', async () => {
    const storage = create();
    await storage.write('a.bin', bytes);
    await storage.write('b.bin', bytes);
    const files = [await storage.open('a.bin'), await storage.open('b.bin')];
    await storage.delete('a.bin');
    await storage.replace('b.bin', bytes.subarray(0, 3));
    for (const file of files) {
      expect(file.size).toBe(1000);
      expect(await file.read(17, 400)).toEqual(bytes.slice(17, 417));
      expect(await file.read(990, 2 ** 45)).toEqual(bytes.slice(990));
      expect((await file.read(2 ** 40, 5)).length).toBe(0);
      (await file.read(0, 1000)).fill(9);
      expect(await file.read(0, 1000)).toEqual(bytes);
      await file.close();
    }
    await expect(storage.open('a.bin')).rejects.toMatchObject({ code: 'not-found' });
    expect(await storedSize(storage, 'b.bin')).toBe(3);
  });

  test('a closed file finishes what is being read and refuses the rest', async () => {
    const storage = create();
    await storage.write('a.bin', bytes);
    const file = await storage.open('a.bin');
    const reads = Array.from({ length: 20 }, (_, i) => file.read(i, 100));
    const closed = file.close();
    await expect(file.read(0, 1)).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('a.bin'),
    });
    await closed;
    await file.close();
    expect(file.descriptor).toBeUndefined();
    for (const [i, read] of (await Promise.all(reads)).entries())
      expect(read).toEqual(bytes.slice(i, i + 100));
  });

  test('syncs what was written and deleted, also where there is nothing', async () => {
    const storage = create();
    await storage.sync();
    await storage.delete('none');
    await storage.write('a.bin', bytes);
    await storage.write('b.bin', bytes);
    await storage.delete('b.bin');
    await storage.sync();
    await Promise.all([storage.write('c.bin', bytes), storage.sync(), storage.sync()]);
    await storage.sync();
    expect((await storage.list()).sort()).toEqual(['a.bin', 'c.bin']);
    expect(Uint8Array.from(await storage.read('a.bin'))).toEqual(bytes);
  });

  test('has locks that one holder at a time has', async () => {
    const storage = create();
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => storage.lock('lock')));
    const got = tries.filter((result) => result.status === 'fulfilled');
    expect(got.length).toBe(1);
    for (const result of tries) {
      if (result.status === 'fulfilled') continue;
      expect(result.reason).toMatchObject({
        code: 'locked',
        fields: { owner: expect.stringMatching(/process .*since \d{4}-/) },
      });
    }
    const other = await storage.lock('other');
    await got[0].value.release();
    const next = await storage.lock('lock');
    // it is not theirs any more
    await got[0].value.release();
    await expect(storage.lock('lock')).rejects.toMatchObject({ code: 'locked' });
    await Promise.all([next.release(), next.release(), other.release()]);
    expect(await storage.list()).toEqual([]);
  });
});

test('a folder is refused as a file', async () => {
  await mkdir(join(root, 'upper', 'lower'), { recursive: true });
  const storage = folderStorage(join(root, 'upper'));
  for (const call of [() => storage.open('lower'), () => storage.read('lower')]) {
    await expect(call()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('a folder, expected a file'),
    });
  }
  for (const call of [
    () => storage.write('lower', bytes),
    () => storage.replace('lower', bytes),
    () => storage.delete('lower'),
  ]) {
    await expect(call()).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining(join(root, 'upper', 'lower')),
    });
  }
  await expect(storage.lock('lower')).rejects.toMatchObject({ code: 'storage-failed' });
  expect(await storage.list()).toEqual(['lower']);
});

test('threads read an opened file of a folder by its descriptor', async () => {
  const storage = folderStorage(join(root, 'threads'));
  await storage.write('a.bin', bytes);
  const file = await storage.open('a.bin');
  await storage.delete('a.bin');
  const source = `const { readSync } = require('node:fs');
    const { parentPort, workerData } = require('node:worker_threads');
    const part = new Uint8Array(400);
    parentPort.postMessage([readSync(workerData, part, 0, 400, 17), part]);`;
  const worker = new Worker(source, { eval: true, workerData: file.descriptor });
  expect((await once(worker, 'message'))[0]).toEqual([400, bytes.slice(17, 417)]);
  await worker.terminate();
  await file.close();
});

const ROWS = 12_000_000;
const DIM = 128;

/**
 * A safetensors file of 6 GB that is a hole but for its header and its last row; null where the
 * file system cannot have it.
 */
async function sparseFile(): Promise<string | null> {
  const json = JSON.stringify({
    W: { dtype: 'F32', shape: [ROWS, DIM], data_offsets: [0, ROWS * DIM * 4] },
  });
  const start = Buffer.alloc(8 + json.length);
  start.writeBigUInt64LE(BigInt(json.length));
  start.write(json, 8);
  const handle = await open(join(root, 'sparse.safetensors'), 'w');
  try {
    await handle.truncate(start.length + ROWS * DIM * 4);
    await handle.write(start, 0, start.length, 0);
    await handle.write(
      Float32Array.from({ length: DIM }, (_, i) => i + 0.5),
      0,
      DIM * 4,
      start.length + (ROWS - 1) * DIM * 4,
    );
    // a file system that fills holes would have taken the space
    return (await handle.stat()).blocks * 512 < 2 ** 26 ? 'sparse.safetensors' : null;
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

const sparse = await sparseFile();

test.runIf(sparse)('rows of a tensor of 6 GB are read without room for it', async () => {
  const name = sparse as string;
  const storage = folderStorage(root);
  const asked: number[] = [];
  const size = await storedSize(storage, name);
  expect(size).toBeGreaterThan(6e9);
  const before = process.memoryUsage().arrayBuffers;
  const file = await openSafetensors({
    size,
    read(offset, length) {
      asked.push(length);
      return readRange(storage, name, offset, length);
    },
  });
  expect(await file.readFloats('W', { rows: [ROWS - 1, ROWS] })).toEqual(
    Float32Array.from({ length: DIM }, (_, i) => i + 0.5),
  );
  expect(await file.readFloats('W', { rows: [ROWS / 2, ROWS / 2 + 3] })).toEqual(
    new Float32Array(3 * DIM),
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  expect(asked.reduce((a, b) => a + b)).toBeLessThan(4096);
});
