import { describe, expect, test } from 'vitest';
import { head, rawRequest } from './raw-request.js';
import { smallServer, untilWaiting, waitingEncoder } from './small-server.js';

const SEARCH = '/collections/papers/search';
const limited = { maxBodyBytes: 2000, bodyTimeoutMs: 150 };
const { ask, url } = await smallServer(limited);

/** Status, and the code of the problem. */
const problemOf = async (response: Response): Promise<[number, string]> => {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { status, detail, message, code, requestId } = await response.json();
  expect(message).toBe(detail);
  expect(status).toBe(response.status);
  expect(requestId).toBe(response.headers.get('x-request-id'));
  return [status, code];
};
const statusOf = (answer: string): string => answer.slice(9, 12);

describe('a body', () => {
  test('that is larger than it may be is refused before it is read', async () => {
    const large = head(SEARCH, 'content-length: 4000000000\r\n');
    expect(statusOf(await rawRequest(url, [large, '{'], { waitMs: 20 }))).toBe('413');
    const query = 'x'.repeat(3000);
    expect(await problemOf(await ask(SEARCH, { json: { query } }))).toEqual([413, 'too-large']);
  });

  test('that does not say how large it is is refused where it becomes too large', async () => {
    const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`;
    const parts = [head(SEARCH, 'transfer-encoding: chunked\r\n'), chunk, chunk, chunk];
    expect(statusOf(await rawRequest(url, parts, { waitMs: 10 }))).toBe('413');
  });

  test('that comes a byte at a time is given up', async () => {
    const bytes = Array.from('{"query":"statins", "k": 1, "include": []}');
    const slow = [head(SEARCH, `content-length: ${bytes.length}\r\n`), ...bytes];
    expect(statusOf(await rawRequest(url, slow, { waitMs: 20 }))).toBe('408');
  });

  test('that is cut off ends its request and nothing else', async () => {
    const cut = [head(SEARCH, 'content-length: 100\r\n'), '{"query"'];
    await rawRequest(url, cut, { waitMs: 10, leave: true });
    expect((await ask('/health')).status).toBe(200);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['an array', '[]'],
    ['a number that would be rounded', '{"query":"x","k":9007199254740993}'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ])('of %s is refused', async (_, body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await ask(SEARCH, { method: 'POST', headers, body });
    expect(await problemOf(response)).toEqual([400, 'invalid-argument']);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'of type %s is refused: pages of others may send some of these',
    async (type) => {
      const init = { method: 'POST', headers: { 'content-type': type }, body: '{"query":"x"}' };
      expect(await problemOf(await ask(SEARCH, init))).toEqual([415, 'unsupported-type']);
    },
  );

  test('of lines has a limit for each line alone, and so has its time', async () => {
    const path = '/collections/papers/documents?onExisting=replace';
    const line = `${JSON.stringify({ id: 'statins', text: 'x'.repeat(1500) })}\n`;
    const lines = (body: string): Promise<Response> =>
      ask(path, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });
    expect((await lines(line.repeat(3))).status).toBe(200);
    expect((await lines(line + line.repeat(3).replaceAll('\n', ' '))).status).toBe(413);
    const type = 'content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n';
    const start = `POST ${path} HTTP/1.1\r\nhost: localhost\r\n${type}\r\n`;
    expect(statusOf(await rawRequest(url, [start, '1\r\n{\r\n']))).toBe('408');
  });
});

/** So many objects or arrays within each other, as JSON. */
const nested = (open: string, close: string, levels: number): string =>
  `${open.repeat(levels)}{"year":1}${close.repeat(levels)}`;

describe('JSON of many levels', async () => {
  const { ask } = await smallServer();
  const post = (path: string, body: string, more = {}): Promise<Response> =>
    ask(path, { method: 'POST', headers: { 'content-type': 'application/json', ...more }, body });

  test.each([
    ['a filter', `{"query":"bees","filter":${nested('{"$not":', '}', 20_000)}}`],
    ['a mode', `{"query":"bees","mode":${nested('[', ']', 20_000)}}`],
    ['a field of no name', `{"query":"bees","\\"[":${nested('{"a":[', ']}', 20_000)}}`],
  ])('is refused: %s', async (_, body) => {
    expect(await problemOf(await post(SEARCH, body))).toEqual([400, 'invalid-argument']);
  });

  test('is read as deep as filters and metadata may be, and brackets in texts are none', async () => {
    const filter = nested('{"$and":[', ']}', 31);
    const query = JSON.stringify(`\\"${'['.repeat(500)}`);
    expect((await post(SEARCH, `{"query":${query},"filter":${filter}}`)).status).toBe(200);
  });

  test('that is packed is refused', async () => {
    const packed = await post(SEARCH, '{"query":"bees"}', { 'content-encoding': 'gzip' });
    expect(await problemOf(packed)).toEqual([415, 'unsupported-type']);
  });
});

describe('what is asked for', () => {
  test.each([
    [SEARCH, {}, 400, 'invalid-argument'],
    [SEARCH, { query: '' }, 400, 'invalid-argument'],
    [SEARCH, { query: 'x', k: 0 }, 400, 'invalid-argument'],
    [SEARCH, { query: 'x', k: 1e6 }, 400, 'invalid-argument'],
    [SEARCH, { query: 'x', filter: 3 }, 400, 'invalid-argument'],
    [SEARCH, { query: 'x', candidates: {} }, 400, 'invalid-argument'],
    [SEARCH, { query: [[1, 2]] }, 400, 'dimension-mismatch'],
    ['/collections/papers/documents', { documents: [{ id: 7 }] }, 400, 'invalid-argument'],
    ['/collections/papers/documents/get', { ids: 'x' }, 400, 'invalid-argument'],
    ['/collections/papers/documents/delete', {}, 400, 'invalid-argument'],
    ['/collections/papers/fit', { epoch: 3 }, 400, 'invalid-argument'],
    ['/v2/rerank', { query: 'x', documents: [] }, 400, 'invalid-argument'],
    ['/v1/multi-vector', { input: [1] }, 400, 'invalid-argument'],
    ['/collections/others/search', { query: 'x' }, 404, 'not-found'],
    ['/health', { query: 'x' }, 405, 'method-not-allowed'],
  ])('%s of %j is a problem: %i %s', async (path, json, status, code) => {
    expect(await problemOf(await ask(path, { json }))).toEqual([status, code]);
  });

  test('a misspelt field is told with the nearest there is', async () => {
    const response = await ask(SEARCH, { json: { query: 'x', numCandidate: 3 } });
    expect((await response.json()).detail).toContain("did you mean 'numCandidates'?");
  });

  test('no name leads out of the collections', async () => {
    const tricks = [
      '../../etc/passwd',
      '%2e%2e%2fetc',
      '..%2f..',
      '%00',
      'papers%2f..',
      '__proto__',
    ];
    for (const name of tricks)
      for (const path of [`/collections/${name}`, `/collections/papers/documents/${name}`])
        expect([400, 404]).toContain((await ask(path)).status);
    expect(
      statusOf(
        await rawRequest(url, [
          'GET /collections/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
        ]),
      ),
    ).toBe('400');
  });

  test('a request line or a host that is no address is refused', async () => {
    const starts = [
      'GET http://evil/ HTTP/1.1\r\nhost: x',
      'GET / HTTP/1.1\r\nhost: a/b@c',
      'GET /health HTTP/1.1\r\nhost: localhost\r\nhost: evil',
    ];
    for (const start of starts)
      expect(statusOf(await rawRequest(url, [`${start}\r\nconnection: close\r\n\r\n`]))).toBe(
        '400',
      );
  });
});

describe('who asks', () => {
  test('needs a key where one is asked for, but for health', async () => {
    const { ask } = await smallServer({ apiKey: ['right', 'other'] });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await ask('/collections', { headers })).status;
    expect(await problemOf(await ask('/collections'))).toEqual([401, 'unauthorized']);
    expect(await status({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({ authorization: 'Basic right' })).toBe(401);
    expect(await status({ authorization: 'Bearer right' })).toBe(200);
    expect(await status({ 'x-api-key': 'other' })).toBe(200);
    expect((await ask('/mcp', { json: {} })).status).toBe(401);
    for (const path of ['/health', '/ready', '/openapi.json'])
      expect((await ask(path)).status).toBe(200);
  });

  test('is no page of another origin unless it may be', async () => {
    const evil = { origin: 'https://evil.example' };
    expect(await problemOf(await ask('/collections', { headers: evil }))).toEqual([
      403,
      'wrong-origin',
    ]);
    const own = await ask('/collections', { headers: { origin: url } });
    expect(own.status).toBe(200);
    const open = await smallServer({ cors: ['https://good.example'] });
    const good = await open.ask('/collections', { headers: { origin: 'https://good.example' } });
    expect(good.headers.get('access-control-allow-origin')).toBe('https://good.example');
    expect((await open.ask('/collections', { headers: evil })).status).toBe(403);
    const before = await open.ask(SEARCH, {
      method: 'OPTIONS',
      headers: { origin: 'https://good.example' },
    });
    expect(before.headers.get('access-control-allow-methods')).toBe('POST, OPTIONS');
  });

  test('names a host that the server answers for', async () => {
    const { url } = await smallServer({ hosts: ['localhost', '127.0.0.1'] });
    const get = (host: string): Promise<string> =>
      rawRequest(url, [`GET /collections HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`]);
    expect(statusOf(await get('localhost:1234'))).toBe('200');
    expect(statusOf(await get('evil.example'))).toBe('421');
  });
});

test('a handler that reads changes nothing', async () => {
  const { ask, index } = await smallServer({ readOnly: true });
  const at = '/collections/papers/documents';
  const refused = [
    await ask(at, { json: [{ id: 'x', text: 'x' }] }),
    await ask(`${at}/delete`, { json: { filter: {} } }),
    await ask(`${at}/bees`, { method: 'DELETE' }),
    await ask('/collections/papers/fit', { json: {} }),
  ];
  for (const response of refused) expect(await problemOf(response)).toEqual([403, 'read-only']);
  expect(index.size).toBe(3);
});

test('what finds no place to wait is told when to come again', async () => {
  const encoder = waitingEncoder();
  const { ask } = await smallServer({ maxRunning: 1, maxWaiting: 1 }, { encoder });
  const json = { query: 'statins' };
  const first = ask(SEARCH, { json });
  await encoder.asked;
  const second = ask(SEARCH, { json });
  await untilWaiting(ask, 1);
  const busy = await ask(SEARCH, { json });
  expect(busy.headers.get('retry-after')).toBe('1');
  expect(await problemOf(busy)).toEqual([503, 'busy']);
  encoder.letGo();
  expect([(await first).status, (await second).status]).toEqual([200, 200]);
});
