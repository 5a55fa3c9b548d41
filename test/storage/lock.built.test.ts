import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { folderStorage, type Storage } from '../../dist/entry/node.js';

const root = await mkdtemp(join(tmpdir(), 'lemur-lock-'));
afterAll(() => rm(root, { recursive: true }));

const TOKEN = '01234567-89ab-cdef-0123-456789abcdef';
const SINCE = '2026-01-02T03:04:05.678Z';
let made = 0;
let folder: string;
let storage: Storage;
beforeEach(() => {
  folder = join(root, `${made++}`);
  storage = folderStorage(folder);
});

/** A process that is gone, and whose number no other has yet. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid as number;
}

async function leave(name: string, content: string | Record<string, unknown>): Promise<void> {
  const text =
    typeof content === 'string'
      ? content
      : JSON.stringify({ host: hostname(), token: TOKEN, since: SINCE, ...content });
  await storage.write(name, new TextEncoder().encode(text));
}

const holder = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(folder, 'lock'), 'utf8'));

test('a lock says who holds it, and is gone when it is released', async () => {
  const lock = await storage.lock('lock');
  const { pid, host, since, token } = await holder();
  expect({ pid, host }).toEqual({ pid: process.pid, host: hostname() });
  expect(new Date(since as string).getTime()).toBeGreaterThan(Date.now() - 60_000);
  expect(await readdir(folder)).toEqual(['lock']);
  await expect(folderStorage(folder).lock('lock')).rejects.toMatchObject({
    code: 'locked',
    message: `${join(folder, 'lock')}: locked by process ${pid} on ${host} since ${since}`,
    fields: { where: join(folder, 'lock'), owner: `process ${pid} on ${host} since ${since}` },
  });
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
  const again = await storage.lock('lock');
  expect((await holder()).token).not.toBe(token);
  await again.release();
});

test('a thread of the process that holds it is refused as any other', async () => {
  const lock = await storage.lock('lock');
  const source = `const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ folderStorage }) => folderStorage(workerData.folder).lock('lock'))
      .then(() => parentPort.postMessage('got it'), (error) => parentPort.postMessage(error.code));`;
  const module = new URL('../../dist/storage/node-folder.js', import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { module, folder } });
  expect((await once(worker, 'message'))[0]).toBe('locked');
  await worker.terminate();
  await lock.release();
});

test('a lock that is another one by now is not released', async () => {
  const lock = await storage.lock('lock');
  await leave('lock', { pid: process.pid });
  await lock.release();
  expect((await holder()).token).toBe(TOKEN);
});

test('the lock of a process that is gone is taken over, with what it and others left', async () => {
  const pid = await deadProcess();
  await leave('lock', { pid });
  await leave(`lock.${TOKEN}.tmp`, { pid });
  await leave(`lock.${TOKEN.replace('0', 'f')}.1`, { pid });
  await leave('lock.json', '{}');
  const lock = await storage.lock('lock');
  expect((await holder()).pid).toBe(process.pid);
  expect((await readdir(folder)).sort()).toEqual(['lock', 'lock.json']);
  await lock.release();
});

test.runIf(process.platform === 'linux')(
  'the lock of a process whose number another has now is taken over',
  async () => {
    const lock = await storage.lock('lock');
    const { started } = await holder();
    const stat = await readFile('/proc/self/stat', 'utf8');
    // no parentheses in the name of this one
    expect(started).toMatch(new RegExp(` ${stat.split(') ')[1].split(' ')[19]}$`));
    await lock.release();
    await leave('lock', { pid: process.pid, started });
    await expect(storage.lock('lock')).rejects.toMatchObject({ code: 'locked' });
    await leave('lock', { pid: process.pid, started: `${started}1` });
    await (await storage.lock('lock')).release();
    // who cannot tell when it started is believed
    await leave('lock', { pid: process.pid });
    await expect(storage.lock('lock')).rejects.toMatchObject({ code: 'locked' });
  },
);

test.runIf(process.platform === 'linux')(
  'the lock of a process that ended and that nobody has waited for is taken over',
  async () => {
    const parent: ChildProcess = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60']);
    try {
      const pid = Number((await once(parent.stdout as NodeJS.ReadableStream, 'data'))[0]);
      while (!/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')))
        await new Promise((resolve) => setTimeout(resolve, 5));
      await leave('lock', { pid });
      await (await storage.lock('lock')).release();
    } finally {
      parent.kill();
    }
  },
);

test('the lock of another host is never broken: its process and the file to delete are named', async () => {
  await leave('lock', { pid: await deadProcess(), host: 'elsewhere' });
  const error = await storage.lock('lock').catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'locked' });
  for (const part of ['elsewhere', 'process ', SINCE, `delete ${join(folder, 'lock')}`])
    expect((error as Error).message).toContain(part);
  expect((await holder()).host).toBe('elsewhere');
});

test('a lock that cannot be understood is taken over when it is old', async () => {
  for (const content of [
    '',
    '\0\0\0\0',
    '{"pid": 1',
    'null',
    '{"pid":-1,"host":"a","since":"b","token":"c"}',
    '[]',
  ]) {
    await leave('lock', content);
    await expect(storage.lock('lock')).rejects.toMatchObject({ code: 'locked' });
    const then = Date.now() / 1000 - 60;
    await utimes(join(folder, 'lock'), then, then);
    const lock = await storage.lock('lock');
    expect((await holder()).pid).toBe(process.pid);
    expect(await readdir(folder)).toEqual(['lock']);
    await lock.release();
  }
});

test('a takeover passes by the markers of those who died in theirs, and gives way to who lives', async () => {
  const pid = await deadProcess();
  await leave('lock', { pid });
  await leave(`lock.${TOKEN}.1`, { pid });
  await leave(`lock.${TOKEN}.2`, { pid: process.pid, since: 'just now' });
  await expect(storage.lock('lock')).rejects.toMatchObject({
    code: 'locked',
    fields: { owner: expect.stringContaining('just now') },
  });
  expect((await holder()).token).toBe(TOKEN);
  // a marker that is being written
  await leave(`lock.${TOKEN}.2`, '');
  await expect(storage.lock('lock')).rejects.toMatchObject({ code: 'locked' });
  await leave(`lock.${TOKEN}.2`, { pid });
  const lock = await storage.lock('lock');
  expect((await holder()).pid).toBe(process.pid);
  expect(await readdir(folder)).toEqual(['lock']);
  await lock.release();
});
