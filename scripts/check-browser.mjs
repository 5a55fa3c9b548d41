// The package in a real browser: a page that imports dist/entry/browser.js fits, ranks and reranks
// a small corpus, and keeps an index; the bytes must be those of Node. Once with cross-origin
// isolation (shared memory, several workers) and once without (one worker, no shared memory); then
// where the worker's file is not to be had, from another origin, in a service worker, and with the
// kernels from a URL. Where no worker may start there is an error.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { availableParallelism } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import * as lemur from '../dist/entry/node.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Runs in Node and in the page alike: nothing from outside but the package. */
async function rank({ Lemur, MaxSim, memoryStorage }) {
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296 - 0.5;
  };
  const text = (tokens) =>
    Array.from({ length: tokens }, () => Array.from({ length: 32 }, uniform));
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

/** An index: code for what changes it is loaded in a page when it is needed. */
async function keep({ Index, memoryStorage }) {
  const index = await Index.create(memoryStorage(), { dim: 3 });
  const documents = [
    { id: 'first', text: 'one', tokens: [[1, 0, 0]] },
    { id: 'second', text: 'two', tokens: [[0.6, 0.8, 0]] },
    { id: 'third', text: 'three', tokens: [[0, 0.8, 0.6]] },
  ];
  await index.add(documents);
  const { hits } = await index.search([[1, 0, 0]]);
  const deleted = await index.delete('first');
  await index.compact();
  const { hits: left } = await index.search([[1, 0, 0]]);
  await index.close();
  return { hits, deleted, left };
}

const rankAndKeep = `async (lemur) => [await (${rank})(lemur), await (${keep})(lemur)]`;
const ranked = await rank(lemur);
const expected = JSON.stringify([ranked, await keep(lemur)]);
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
const HTML = { 'content-type': 'text/html' };
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const SAME = 'the bytes of Node';
const WORKER = '/dist/entry/browser-kernels-worker.js';

/** Every page, what its server answers with, and what comes of it. */
const CASES = [
  { name: 'with shared memory', headers: ISOLATION, isolated: true },
  { name: 'without shared memory' },
  {
    name: 'whose worker file is missing, with shared memory',
    headers: ISOLATION,
    isolated: true,
    answers: { [WORKER]: [404, {}, ''] },
  },
  { name: 'whose worker file is missing', answers: { [WORKER]: [404, {}, ''] } },
  {
    name: 'that gets a page for the worker file',
    answers: { [WORKER]: [200, HTML, '<!doctype html>'] },
  },
  { name: 'that imports from another origin', elsewhere: true },
  {
    name: 'that may not start workers',
    headers: { 'Content-Security-Policy': "worker-src 'none'" },
    expected: /^worker-failed: a worker thread ended: by its URL: .+; from a blob: .+/,
  },
  {
    name: 'that may not compile WebAssembly',
    headers: { 'Content-Security-Policy': "script-src 'self' 'unsafe-inline'" },
    expected: /^plain kernels: lemur: compiling WebAssembly is forbidden here/,
  },
  {
    name: 'with the kernels from a URL',
    before: "await lemur.init({ wasm: 'dist/kernels.wasm' });",
  },
  {
    name: 'with the kernels from a URL, with shared memory',
    headers: ISOLATION,
    isolated: true,
    before: "await lemur.init({ wasm: '/dist/kernels.wasm' });",
  },
  {
    name: 'with a compiled module',
    before:
      'await lemur.init({ wasm: ' +
      "await WebAssembly.compileStreaming(fetch('/dist/kernels.wasm')) });",
  },
  {
    name: 'that gets a page for the kernels',
    before: "await lemur.init({ wasm: '/' });",
    expected: /^bad-file: init: \/: got \d+ bytes that begin with "<!doctype html>/,
  },
];

const other = await serve({ 'access-control-allow-origin': '*' });
let failed = 0;
for (const {
  name,
  headers = {},
  isolated = false,
  answers,
  elsewhere,
  before = '',
  expected: wanted = SAME,
} of CASES) {
  const server = await serve(headers, answers);
  const from = elsewhere
    ? `http://127.0.0.1:${other.address().port}/dist/entry/browser.js`
    : '/dist/entry/browser.js';
  const outcome = await openPage(server, isolated, from, before);
  const right = wanted === SAME ? outcome === SAME : wanted.test(outcome);
  console.log(`${right ? 'ok' : 'NOT OK'}: a page ${name} gives ${outcome}`);
  if (!right) failed++;
  server.close();
}
for (const [entry, work, wanted] of [
  ['browser', rank, JSON.stringify(ranked)],
  ['edge', rankAndKeep, expected],
]) {
  const outcome = await inServiceWorker(entry, work, wanted);
  const right = outcome === SAME;
  console.log(`${right ? 'ok' : 'NOT OK'}: a service worker with ${entry}.js gives ${outcome}`);
  if (!right) failed++;
}
other.close();
const version = await browser.version();
await browser.close();
console.log(
  `browser: ${CASES.length + 2 - failed} of ${CASES.length + 2} passed (Chromium ${version}, ` +
    `${availableParallelism()} threads)`,
);
process.exit(failed ? 1 : 0);

/** What comes of a page that ranks: the bytes of Node, others, or an error. */
async function openPage(server, isolated, from, before) {
  const page = await browser.newPage();
  const warnings = [];
  page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
  try {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const run = `(async () => {
      try {
        const lemur = await import('${from}');
        ${before}
        return { isolated: crossOriginIsolated, result: await (${rankAndKeep})(lemur) };
      } catch (error) { return { error: error.code + ': ' + error.message }; }
    })()`;
    const { error, isolated: seen, result } = await page.evaluate(run);
    if (error) return error;
    if (warnings.length > 0) return `plain kernels: ${warnings.join('; ')}`;
    if (seen !== isolated) return `crossOriginIsolated: ${seen}`;
    return JSON.stringify(result) === expected
      ? SAME
      : `something else than Node: ${JSON.stringify(result)}`;
  } catch (error) {
    return `an error of the page: ${error.message}`;
  } finally {
    await page.close();
  }
}

/**
 * Service workers cannot start workers: everything runs on their one thread. Nor can they load code
 * later: the entry of edge runtimes has all of it.
 */
async function inServiceWorker(entry, work, wanted) {
  const script = `import * as lemur from '/dist/entry/${entry}.js';
    addEventListener('message', (event) => event.waitUntil(
      (${work})(lemur).then((result) => event.source.postMessage({ result }), (error) => event.source.postMessage({ error: error.message }))));`;
  const server = await serve(
    {},
    { '/service-worker.js': [200, { 'content-type': 'text/javascript' }, script] },
  );
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const { result, error } = await page.evaluate(`(async () => {
      const registration = await navigator.serviceWorker.register('/service-worker.js', { type: 'module' });
      const worker = registration.installing ?? registration.waiting ?? registration.active;
      return new Promise((resolve) => {
        navigator.serviceWorker.onmessage = (event) => resolve(event.data);
        worker.postMessage('rank');
      });
    })()`);
    if (error) return error;
    return JSON.stringify(result) === wanted
      ? SAME
      : `something else than Node: ${JSON.stringify(result)}`;
  } catch (error) {
    return `an error: ${error.message}`;
  } finally {
    await page.close();
    server.close();
  }
}

/** The repository's files; `answers` replaces some by path. */
function serve(headers, answers = {}) {
  const types = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
  const pages = { '/': [200, HTML, '<!doctype html><title>lemur</title>'], ...answers };
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (pages[path]) return response.writeHead(pages[path][0], pages[path][1]).end(pages[path][2]);
    try {
      const body = await readFile(join(root, path));
      response
        .setHeader('content-type', types[extname(path)] ?? 'application/octet-stream')
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
