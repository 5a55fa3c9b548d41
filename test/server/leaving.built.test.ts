import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { head } from './raw-request.js';
import { DOCUMENTS, smallServer, untilWaiting, waitingEncoder } from './small-server.js';

const SEARCH = '/collections/papers/search';
const json = { query: 'what waits?' };

test('a client that leaves stops what it asked for', async () => {
  const encoder = waitingEncoder();
  const { ask } = await smallServer({}, { encoder });
  const leaving = new AbortController();
  const asked = ask(SEARCH, { json, signal: leaving.signal });
  await encoder.asked;
  leaving.abort();
  await expect(asked).rejects.toThrow();
  await encoder.stopped;
  expect((await ask('/health')).status).toBe(200);
});

test('a client that waits in the queue and leaves gives its place away', async () => {
  const encoder = waitingEncoder();
  const { ask } = await smallServer({ maxRunning: 1, maxWaiting: 1 }, { encoder });
  const first = ask(SEARCH, { json });
  await encoder.asked;
  const leaving = new AbortController();
  const second = ask(SEARCH, { json, signal: leaving.signal });
  await untilWaiting(ask, 1);
  leaving.abort();
  await expect(second).rejects.toThrow();
  await untilWaiting(ask, 0);
  const third = ask(SEARCH, { json });
  encoder.letGo();
  expect([(await first).status, (await third).status]).toEqual([200, 200]);
});

test('a client that has sent several requests at once and leaves stops all of them', async () => {
  const encoder = waitingEncoder();
  const { ask, url } = await smallServer({ maxRunning: 1 }, { encoder });
  const body = JSON.stringify(json);
  const one = `${head(SEARCH, `content-length: ${body.length}\r\n`)}${body}`;
  const first = ask(SEARCH, { json });
  await encoder.asked;
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(one.repeat(5));
  await untilWaiting(ask, 5);
  socket.destroy();
  await untilWaiting(ask, 0);
  encoder.letGo();
  expect((await first).status).toBe(200);
});

test('of lines that a client does not end, what was committed stays', async () => {
  const { url, index } = await smallServer();
  const { port } = new URL(url);
  const sending = request({
    port,
    method: 'POST',
    path: '/collections/papers/documents',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  sending.on('error', () => {});
  const lines = Array.from({ length: 1000 }, (_, i) => `{"id":"line ${i}","text":"No ${i}"}\n`);
  sending.write(`${lines.join('')}{"id":"half`);
  const [response] = await once(sending, 'response');
  expect(String((await once(response, 'data'))[0])).toBe('{"committed":1000}\n');
  response.on('error', () => {});
  sending.destroy();
  expect(index.size).toBe(DOCUMENTS.length + 1000);
  // the collection is nobody's any more
  await index.add({ id: 'after', text: 'After.' });
});

test('a server that closes finishes what is under way, and takes no more', async () => {
  const encoder = waitingEncoder();
  const { ask, close, handler } = await smallServer({}, { encoder });
  const asked = ask(SEARCH, { json });
  await encoder.asked;
  const closed = close();
  const late = await handler.fetch(new Request('http://localhost/collections'));
  expect([late.status, (await late.json()).code]).toEqual([503, 'closing']);
  const ready = await handler.fetch(new Request('http://localhost/ready'));
  expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '5']);
  encoder.letGo();
  expect((await asked).status).toBe(200);
  await closed;
  await expect(ask('/health')).rejects.toThrow();
});

test('a server that closes does not wait for ever', async () => {
  const encoder = waitingEncoder();
  const { ask, close } = await smallServer({ closeTimeoutMs: 20 }, { encoder });
  const asked = ask(SEARCH, { json });
  await encoder.asked;
  const [response] = await Promise.all([asked, close()]);
  expect([response.status, (await response.json()).code]).toEqual([503, 'closing']);
  await encoder.stopped;
});
