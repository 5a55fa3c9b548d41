import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { head } from './raw-request.js';
import { smallServer } from './small-server.js';

function socketTo(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).on('error', () => {});
}

test('a client that takes nothing of its answer is cut off, one that is slow is not', async () => {
  const { index, url } = await smallServer();
  const text = 'x'.repeat(400_000);
  await index.add(Array.from({ length: 100 }, (_, i) => ({ id: `long ${i}`, text })));
  const body = JSON.stringify({ query: 'bees', k: 103 });
  const lines = `content-length: ${body.length}\r\nconnection: close\r\n`;
  const asked = `${head('/collections/papers/search', lines)}${body}`;
  const [none, slow] = [socketTo(url), socketTo(url)];
  const ended = (socket: Socket): Promise<void> =>
    new Promise((resolve) => void socket.on('close', () => resolve()));
  // what it has sent before it cut the connection is read at the end
  const cut = ended(none);
  let bytes = 0;
  let taken = 0;
  none.pause().write(asked);
  slow.write(asked);
  slow.on('data', (chunk) => {
    taken += chunk.length;
    slow.pause();
    // all of it takes longer than a client may take nothing
    setTimeout(() => slow.resume(), 60);
  });
  await ended(slow);
  none.on('data', (chunk) => {
    bytes += chunk.length;
  });
  none.resume();
  await cut;
  expect(taken).toBeGreaterThan(40_000_000);
  expect(bytes).toBeLessThan(40_000_000);
}, 120_000);

test('what a client sends behind the end of its answer is not read for ever', async () => {
  const { url } = await smallServer();
  const socket = socketTo(url);
  const type = 'content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n';
  socket.write(`POST /collections/papers/documents HTTP/1.1\r\nhost: localhost\r\n${type}\r\n`);
  const send = (line: string): void =>
    void socket.write(`${(line.length + 1).toString(16)}\r\n${line}\n\r\n`);
  let answer = '';
  let sending: ReturnType<typeof setInterval> | undefined;
  socket.on('data', (chunk) => {
    answer += chunk;
    if (sending || !answer.includes('"committed":1')) return;
    send('this ends the answer');
    sending = setInterval(() => send('{"id":"more","text":"More."}'), 500);
  });
  send('{"id":"first","text":"This begins it."}');
  await new Promise((resolve) => socket.on('close', resolve));
  clearInterval(sending);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain('"status":400');
}, 60_000);
