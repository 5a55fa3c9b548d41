import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, describe, expect, test } from 'vitest';
import { sentencesOf } from '../collection/passage-encoder.js';
import { type SmallServer, smallServer } from './small-server.js';

type Called = { content: { text: string }[]; isError: boolean };

async function clientOf({ url }: SmallServer): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url)));
  afterAll(() => client.close());
  return client;
}

/** The text of a result; of what went wrong, after a mark. */
async function call(client: Client, name: string, given: object = {}): Promise<string> {
  const called = await client.callTool({ name, arguments: { ...given } });
  const { content, isError } = called as unknown as Called;
  return (isError ? '!' : '') + content.map(({ text }) => text).join('\n');
}

describe('the official client', async () => {
  const server = await smallServer();
  const client = await clientOf(server);

  test('learns what there is', async () => {
    expect(client.getServerVersion()?.name).toBe('lemur');
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['search', 'read', 'list']);
    expect(tools.every(({ annotations }) => annotations?.readOnlyHint)).toBe(true);
    await client.ping();
  });

  test('searches, and gets short results with their ids', async () => {
    const found = await call(client, 'search', { query: 'where do bees dance?', k: 1 });
    expect(found).toMatch(/^1\. \[bees\] \(similarity \d\.\d\d\)\nBees dance to tell where/);
    const filter = { year: { $lt: 1900 } };
    expect(await call(client, 'search', { query: 'bees', filter })).toBe('No results.');
  });

  test('reads a document, and lists them', async () => {
    expect(await call(client, 'read', { id: 'statins' })).toBe(
      '{"year":2011}\n\nCholesterol is lowered by statins.',
    );
    expect(await call(client, 'list')).toBe('papers: 3 documents');
    expect(await call(client, 'list', { collection: 'papers', limit: 2 })).toBe(
      'statins\nbees\n(more: offset 2)',
    );
    const last = { collection: 'papers', offset: 2 };
    expect(await call(client, 'list', last)).toBe('a/b c');
  });

  test('is told what was wrong, so that it can try again', async () => {
    expect(await call(client, 'search')).toBe('!query: expected a text, got undefined');
    expect(await call(client, 'search', { query: 'x', k: 100 })).toMatch(
      /^!k: expected .* 1 to 20/,
    );
    expect(await call(client, 'search', { query: 'x', filters: {} })).toContain("'filter'?");
    expect(await call(client, 'read', { id: 'nobody' })).toMatch(
      /^!no document of the id "nobody"/,
    );
    expect(await call(client, 'list', { collection: 'x' })).toBe(
      '!collection: expected one of papers, got x',
    );
    await expect(client.callTool({ name: 'add', arguments: {} })).rejects.toThrow(/no tool add/);
  });
});

test('a passage is read with what stands around it', async () => {
  const server = await smallServer({}, { passages: { size: 20, overlap: 0 } });
  await server.index.add({ id: 'long', text: sentencesOf('bee', 40) });
  const client = await clientOf(server);
  const found = await call(client, 'search', { query: 'bee20', k: 1, mode: 'keywords' });
  const [, id] = /\[(long#\d+)\], lines 1-1/.exec(found) ?? [];
  const [alone, around] = [
    await call(client, 'read', { id, around: 0 }),
    await call(client, 'read', { id, around: 2 }),
  ];
  expect(alone).toMatch(/^\[long\], lines 1-1\nThe bee number /);
  expect(around).toContain(alone.split('\n')[1].trim());
  expect(around.length).toBeGreaterThan(3 * alone.length);
  expect(await call(client, 'list', { collection: 'papers' })).toBe('statins\nbees\na/b c\nlong');
});

test('documents are added and deleted where that is allowed', async () => {
  const server = await smallServer({ mcp: 'write' });
  const client = await clientOf(server);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(['search', 'read', 'list', 'add', 'delete']);
  expect(await call(client, 'add', { id: 'new', text: 'Rain is wet.' })).toBe('Added.');
  expect(await call(client, 'add', { id: 'new', text: 'Rain is cold.' })).toBe('Replaced.');
  expect((await server.index.get('new'))?.text).toBe('Rain is cold.');
  expect(await call(client, 'delete', { id: 'new' })).toBe('Deleted.');
  expect(await call(client, 'delete', { id: 'new' })).toBe('No document has this id.');
});

describe('what is no message of the protocol', async () => {
  const { ask } = await smallServer();
  const post = async (body: string): Promise<[number, number]> => {
    const headers = { 'content-type': 'application/json' };
    const response = await ask('/mcp', { method: 'POST', headers, body });
    return [response.status, (await response.json()).error.code];
  };

  test.each([
    ['{', 400, -32700],
    ['[]', 200, -32600],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', 200, -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', 200, -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 200, -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"resources/list"}', 200, -32601],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}', 200, -32602],
  ])('%s is answered with %i and %i', async (body, status, code) => {
    expect(await post(body)).toEqual([status, code]);
  });

  test('a notification has no answer, and nothing is sent unasked', async () => {
    const json = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const told = await ask('/mcp', { json });
    expect([told.status, await told.text()]).toEqual([202, '']);
    expect((await ask('/mcp')).status).toBe(405);
    const wrong = { json, headers: { 'mcp-protocol-version': '1999-01-01' } };
    expect((await ask('/mcp', wrong)).status).toBe(400);
  });
});

test('a tool that is no name is told as such', async () => {
  const { ask } = await smallServer();
  const params = { name: { toString: 1 } };
  const answer = await ask('/mcp', {
    json: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
  });
  expect((await answer.json()).error).toEqual({ code: -32602, message: 'no tool an object' });
});
