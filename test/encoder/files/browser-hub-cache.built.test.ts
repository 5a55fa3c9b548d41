import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type * as CacheModule from '../../../dist/encoder/files/browser-hub-cache.js';
import type { CheckpointFile } from '../../../dist/encoder/files/checkpoint-files.js';
import { hubFiles } from '../../../dist/encoder/files/hub.js';

const { hubCacheStorage } = (await import(
  new URL('../../../dist/encoder/files/browser-hub-cache.js', import.meta.url).href
)) as typeof CacheModule;

const kept = new Map<string, Response>();
const CONTENT = '{"a":1}';
let answer: () => Response;
let asked = 0;
const options = {
  fetch: async () => {
    asked++;
    return answer();
  },
};

beforeEach(() => {
  kept.clear();
  asked = 0;
  const cache = {
    match: async (url: string) => kept.get(url)?.clone(),
    put: async (url: string, response: Response) => void kept.set(url, response),
    delete: async (url: string) => kept.delete(url),
  };
  vi.stubGlobal('caches', { open: async () => cache });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** As another page would. */
const files = () => hubFiles('someone/model', hubCacheStorage('someone/model', options), options);
const textOf = (file: CheckpointFile | undefined): Promise<string> | undefined =>
  (file?.place as Blob | undefined)?.text();

test('a page keeps a file that is whole and right, and asks no more', async () => {
  const etag = `"${createHash('sha1').update(`blob ${CONTENT.length}\0${CONTENT}`).digest('hex')}"`;
  answer = () => new Response(CONTENT, { headers: { 'x-repo-commit': 'c0ffee', etag } });
  for (let i = 0; i < 2; i++) expect(await textOf(await files().find('config.json'))).toBe(CONTENT);
  expect(asked).toBe(1);
});

test.each([
  [
    'a page in its place',
    () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
  ],
  ['less than its length', () => new Response(CONTENT, { headers: { 'content-length': '100' } })],
  ['what is cut off', () => new Response('{"a":')],
  [
    'another hash',
    () => new Response(CONTENT, { headers: { 'x-linked-etag': `"${'a'.repeat(64)}"` } }),
  ],
])('it does not keep %s', async (_what, wrong) => {
  answer = wrong;
  await expect(files().find('config.json')).rejects.toMatchObject({ code: 'offline' });
  expect(kept.size).toBe(0);
  answer = () => new Response(CONTENT);
  expect(await textOf(await files().find('config.json'))).toBe(CONTENT);
});

test('settings without a hash it keeps no longer once they could not be loaded', async () => {
  answer = () => new Response(CONTENT);
  const lie = files();
  await lie.find('config.json');
  expect(kept.size).toBe(1);
  await lie.reject?.();
  expect(kept.size).toBe(0);
  expect(await textOf(await lie.find('config.json'))).toBe(CONTENT);
  await lie.settle?.();
  await lie.reject?.();
  expect(kept.size).toBe(1);
});

test('that there is no such file it keeps for an hour, once the checkpoint has been loaded; what older versions kept is asked again', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  answer = () => new Response('', { status: 404 });
  const loading = files();
  expect(await loading.find('modules.json')).toBeUndefined();
  expect(kept.size).toBe(0);
  await loading.settle?.();
  expect(kept.size).toBe(1);
  answer = () => new Response(CONTENT);
  expect(await files().find('modules.json')).toBeUndefined();
  expect(asked).toBe(1);
  vi.setSystemTime(Date.now() + 3_700_000);
  expect(await textOf(await files().find('modules.json'))).toBe(CONTENT);

  const [url] = kept.keys();
  kept.set(url, new Response(null, { status: 404 }));
  expect(await textOf(await files().find('modules.json'))).toBe(CONTENT);
});
