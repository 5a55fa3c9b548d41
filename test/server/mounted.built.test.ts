import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { createHandler, type HandlerOptions } from '../../dist/entry/server.js';
import { smallServer } from './small-server.js';

test('a handler is mounted in Hono below a path', async () => {
  const { handler } = await smallServer();
  const app = new Hono().mount('/find', handler.fetch);
  const listed = await app.request('/find/collections');
  expect((await listed.json()).collections).toHaveLength(1);
  const body = JSON.stringify({ query: 'bees', k: 1 });
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body };
  const found = await app.request('/find/collections/papers/search', init);
  expect((await found.json()).hits[0].id).toBe('bees');
});

test.each([
  ['no indexes', undefined, {}],
  ['an index without a name', 'index', {}],
  ['a name that an address cannot have', { 'a/b': 'index' }, {}],
  ['what is no index', { papers: {} }, {}],
  ['an unknown option', {}, { apikey: 'x' }],
  ['no keys', {}, { apiKey: [] }],
  ['an empty key', {}, { apiKey: '' }],
  ['a queue that is none', {}, { maxRunning: 0 }],
  ['a body of too many bytes', {}, { maxBodyBytes: 2 ** 30 }],
])('a handler is not made of %s', async (_, given, options) => {
  const index = await Index.create(memoryStorage(), { dim: 2, threads: 1 });
  const named = Object.entries(Object(given)).map(([name, one]) => [
    name,
    one === 'index' ? index : one,
  ]);
  const indexes = given === 'index' ? index : given && Object.fromEntries(named);
  const make = (): unknown =>
    createHandler(indexes as Record<string, Index>, options as HandlerOptions);
  expect(make).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  await index.close();
});
