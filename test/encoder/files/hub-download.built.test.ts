import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountSmallDisk } from '../../storage/small-disk.js';
import { type Answer, bytes, ID, LocalHub } from './local-hub.js';

const built = (path: string): string => new URL(`../../../dist/${path}`, import.meta.url).href;
const hub = await LocalHub.start();

test('two loads at once in one process, and one in another, each get a whole model', async () => {
  const cacheFolder = hub.freshCache();
  const slowly: Answer = (_request, response, content = Buffer.of()) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, content.length >> 1), () =>
      setTimeout(() => response.end(content.subarray(content.length >> 1)), 100),
    );
  };
  hub.answers = { 'config.json': slowly, 'model.safetensors': slowly };
  const script = `const { loadEncoder } = await import(${JSON.stringify(built('entry/node-encoder.js'))});
    const encoder = await loadEncoder(${JSON.stringify(ID)}, ${JSON.stringify({ cacheFolder, endpoint: hub.address, threads: 1 })});
    await encoder.close();`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = new Promise((resolve) => other.on('exit', resolve));
  await Promise.all([hub.works(cacheFolder), hub.works(cacheFolder)]);
  expect(await exited).toBe(0);
  const folder = join(cacheFolder, ID, 'main');
  const kept = (await readdir(folder))
    .filter((name) => !name.endsWith('.absent') && name !== '1_Dense')
    .sort();
  expect(kept).toEqual([...bytes.keys()].filter((name) => !name.includes('/')).sort());
  for (const name of kept) expect(await readFile(join(folder, name))).toEqual(bytes.get(name));
});

test('what a download left that was killed is removed a day later', async () => {
  const cacheFolder = hub.freshCache();
  const folder = join(cacheFolder, ID, 'main');
  await mkdir(folder, { recursive: true });
  const yesterday = new Date(Date.now() - 2 * 86_400_000);
  for (const name of [
    'model.safetensors.0123456789abcdef.tmp',
    'model.safetensors.77.part',
    'config.json.fedcba9876543210.tmp',
  ]) {
    await writeFile(join(folder, name), 'x');
    if (name.startsWith('model')) await utimes(join(folder, name), yesterday, yesterday);
  }
  hub.answers = {};
  await hub.load(cacheFolder);
  expect((await readdir(folder)).filter((name) => /tmp|part/.test(name))).toEqual([
    'config.json.fedcba9876543210.tmp',
  ]);
});

test('a call that is cancelled ends at once, whether the hub goes on answering or never does', {
  timeout: 20_000,
}, async () => {
  const endless: Answer = (_request, response, content = Buffer.of()) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100));
  };
  const never: typeof fetch = () => new Promise(() => {});
  const stuck: typeof fetch = async () =>
    new Response(
      new ReadableStream({
        pull: () => new Promise(() => {}),
        cancel: () => new Promise(() => {}),
      }),
    );
  hub.answers = { 'model.safetensors': endless };
  for (const options of [{}, { fetch: never }, { fetch: stuck }]) {
    const stop = new AbortController();
    const reason = new Error('enough');
    const cacheFolder = hub.freshCache();
    const loading = hub.load(cacheFolder, { signal: stop.signal, ...options });
    setTimeout(() => stop.abort(reason), 200);
    await expect(loading).rejects.toBe(reason);
    const left = await readdir(cacheFolder, { recursive: true }).catch(() => []);
    expect(left.filter((name) => name.includes('model.safetensors'))).toEqual([]);
  }
});

test.each([
  '..',
  '.',
  '',
  '../main',
  'a/../b',
  'a//b',
  '/main',
  'a\\b',
  'a\0b',
  'a b',
  '.hidden',
  'x'.repeat(300),
])('the revision %j is refused before anything is hub.asked or written', async (revision) => {
  const cacheFolder = hub.freshCache();
  hub.asked = [];
  await expect(hub.load(cacheFolder, { revision })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('revision'),
  });
  expect(hub.asked).toEqual([]);
  await expect(readdir(cacheFolder)).rejects.toThrow();
});

test('a revision may be a branch, a tag, a commit or a pull request', async () => {
  hub.answers = {};
  for (const revision of ['v1.0', 'refs/pr/1', 'c0ffee'.padEnd(40, '0')])
    await hub.load(hub.freshCache(), { revision });
});

test('a list of weights that leads out of the checkpoint is refused', async () => {
  const index: Answer = (_request, response) => {
    response.end(
      JSON.stringify({
        weight_map: { 'embeddings.word_embeddings.weight': '../../other.safetensors' },
      }),
    );
  };
  const missing: Answer = (_request, response) => void response.writeHead(404).end();
  expect(
    await hub.failsOnce({ 'model.safetensors': missing, 'model.safetensors.index.json': index }),
  ).toMatchObject({ code: 'bad-file' });
});

describe('a cache that cannot be written', () => {
  test('because a file is in its way is a failure of the storage, and says which option names another folder', async () => {
    hub.answers = {};
    const cacheFolder = hub.freshCache();
    await writeFile(cacheFolder, '');
    await expect(hub.load(cacheFolder)).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('cacheFolder'),
    });
  });

  const full = join(hub.root, 'full');
  mkdirSync(full);
  const mounted = mountSmallDisk(full, '64k');

  test.skipIf(!mounted)(
    'because the disk is full leaves no part of a file, and the next call goes on',
    async () => {
      hub.answers = {};
      await expect(hub.load(full)).rejects.toMatchObject({
        code: 'storage-failed',
        cause: { code: 'ENOSPC' },
      });
      const left = (await readdir(full, { recursive: true })).filter((name) =>
        name.includes('model.safetensors'),
      );
      expect(left).toEqual([]);
      execFileSync('mount', ['-o', 'remount,size=8m', full]);
      await hub.load(full);
    },
  );
});
