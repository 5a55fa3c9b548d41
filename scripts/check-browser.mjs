// The package in a real browser: a page that imports dist/browser.js fits, ranks and reranks a small corpus; the bytes must be those of Node.
// Once with cross-origin isolation (shared memory, several workers) and once without (one worker, no shared memory).

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { availableParallelism } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import * as lemur from '../dist/node.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Runs in Node and in the page alike: nothing from outside but the package. */
async function rank({ Lemur, MaxSim, memoryStorage }) {
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296 - 0.5;
  };
  const text = (tokens) => Array.from({ length: tokens }, () => Array.from({ length: 32 }, uniform));
  const documents = Array.from({ length: 60 }, (_, i) => text(3 + (i % 7)));
  const queries = Array.from({ length: 4 }, () => text(5));
  const fitted = await Lemur.fit(documents, { finalHiddenDim: 64, epochs: 3, batchSize: 64 });
  const storage = memoryStorage();
  await fitted.save(storage);
  const loaded = await Lemur.load(storage);
  const candidates = await loaded.candidates(queries, 20);
  const exact = await MaxSim.create(documents);
  const top = await exact.rerankSubset(queries, 10, candidates);
  const weights = new Uint32Array((await fitted.W).buffer);
  return {
    indices: [...top.indices],
    scores: [...top.scores],
    weights: weights.reduce((sum, word) => (Math.imul(sum, 31) + word) >>> 0, 7),
  };
}

const expected = JSON.stringify(await rank(lemur));
const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
let failed = 0;
for (const isolated of [true, false]) {
  const server = await serve(isolated);
  const name = isolated ? 'with shared memory' : 'without shared memory';
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const run = `(async () => { const lemur = await import('/dist/browser.js'); return { isolated: crossOriginIsolated, result: await (${rank})(lemur) }; })()`;
    const { isolated: seen, result } = await page.evaluate(run);
    const same = seen === isolated && JSON.stringify(result) === expected;
    console.log(
      `${same ? 'ok' : 'NOT OK'}: ${await browser.version()} ${name} gives ${same ? 'the bytes of Node' : `something else than Node: ${JSON.stringify(result)}`}`,
    );
    if (!same) failed++;
  } catch (error) {
    console.log(`NOT OK: ${name}: ${error.message}`);
    failed++;
  }
  server.close();
}
await browser.close();
console.log(`browser: ${2 - failed} of 2 passed (${availableParallelism()} threads)`);
process.exit(failed ? 1 : 0);

function serve(isolated) {
  const types = { '.js': 'text/javascript', '.html': 'text/html' };
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (path === '/') return response.setHeader('content-type', 'text/html').end('<!doctype html><title>lemur</title>');
    try {
      const body = await readFile(join(root, path));
      response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream').end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
