// A server under load: autocannon's connections ask questions while a writer adds documents, and
// in the end the server is killed and what it had acknowledged is looked for.
//   node bench/served.mjs [--documents 1000] [--connections 64] [--seconds 60] [--rate 0]
//     [--write-every 1000]
// Of data/scifact, through the default encoder. --rate: questions a second at most, 0: as many as
// it can; --write-every: milliseconds between two documents, 0: none. First the same questions in
// process, one after the other and as many at once. autocannon is installed in a temporary folder.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Index, readBeir } from '../dist/entry/node.js';
import { machine } from './vectors.mjs';

const AUTOCANNON = 'autocannon@9.0.0';
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '0' },
    'write-every': { type: 'string', default: '1000' },
  },
});
const [most, connections, seconds, rate, writeEvery] = [
  values.documents,
  values.connections,
  values.seconds,
  values.rate,
  values['write-every'],
].map(Number);

const folder = mkdtempSync(join(tmpdir(), 'lemur-served-'));
const PAPERS = join(folder, 'papers.lemur');
try {
  const { autocannon, questions, spare } = await prepare();
  const alone = await inProcess(questions, 1);
  const together = await inProcess(questions, connections);
  console.log(`${machine}: ${most} documents, ${questions.length} questions by turns`);
  console.table({
    'in process, one by one': alone,
    [`in process, ${connections} at once`]: together,
    ...(await served(autocannon, questions, spare)),
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function prepare() {
  execFileSync('npm', ['install', '--silent', '--prefix', folder, AUTOCANNON]);
  const autocannon = createRequire(join(folder, 'package.json'))('autocannon');
  const { documents, queries } = await readBeir(here('../data/scifact'));

  const all = [];
  for await (const { id, text } of documents) all.push({ id, text });
  const index = await Index.openOrCreate(PAPERS);
  await index.add(all.slice(0, most));
  await index.close();
  return { autocannon, questions: queries.map(({ text }) => text), spare: all.slice(most) };
}

/** Answers a second, and milliseconds of one, of an index in this process. */
async function inProcess(questions, atOnce) {
  const index = await Index.open(PAPERS);
  const times = [];
  const end = performance.now() + 1000 * Math.min(20, seconds);
  const caller = async (_, first) => {
    for (let i = first; performance.now() < end; i += atOnce) {
      const from = performance.now();
      await index.search(questions[i % questions.length], { k: 10, include: ['text'] });
      times.push(performance.now() - from);
    }
  };
  await index.search(questions[0]);
  const from = performance.now();
  await Promise.all(Array.from({ length: atOnce }, caller));
  const took = (performance.now() - from) / 1000;
  await index.close();
  times.sort((a, b) => a - b);
  const at = (share) => Math.round(times[Math.floor(share * times.length)]);
  return { 'answers a second': Math.round(times.length / took), p50: at(0.5), p99: at(0.99) };
}

/** The same over HTTP beside a writer. */
async function served(autocannon, questions, spare) {
  const server = spawn(
    process.execPath,
    [here('../dist/cli/main.js'), 'serve', PAPERS, '--port=0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    const url = await addressOf(server);
    await post(`${url}/search`, { query: questions[0] });
    const resident = [];
    const stop = new AbortController();
    const watching = watch(server.pid, resident, stop.signal);
    const writing = writeEvery > 0 ? write(url, spare, stop.signal) : Promise.resolve([]);
    // it is waited for below
    writing.catch(() => {});
    const result = await autocannon({
      url,
      connections,
      duration: seconds,
      timeout: 60,
      ...(rate > 0 ? { overallRate: rate } : {}),
      requests: questions.map((query) => ({
        method: 'POST',
        path: `${new URL(url).pathname}/search`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, k: 10, include: ['text'] }),
      })),
    });
    stop.abort();
    await watching;
    const written = await writing;
    server.kill('SIGKILL');
    await once(server, 'exit');
    report(result, resident, written, await lost(written));
    const { p50, p99 } = result.latency;
    const answers = Math.round(result['2xx'] / result.duration);
    return { [`served, ${connections} connections`]: { 'answers a second': answers, p50, p99 } };
  } finally {
    server.kill('SIGKILL');
  }
}

async function addressOf(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const found = /http:\/\/[^\s/]+/.exec(line);
    if (found) return `${found[0]}/collections/papers`;
  }
  throw new Error('the server ended');
}

async function post(url, body) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}

/** Notes the server's resident memory, in MB, each second. */
async function watch(pid, resident, signal) {
  while (!signal.aborted) {
    const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    resident.push(Math.round(kb / 1000));
    await wait(1000);
  }
}

/** Adds a document after the other; what was acknowledged, and after how many milliseconds. */
async function write(url, spare, signal) {
  const written = [];
  for (const { id, text } of spare) {
    if (signal.aborted) break;
    const from = performance.now();
    await post(`${url}/documents`, [{ id, text }]);
    written.push({ id, ms: performance.now() - from });
    await wait(writeEvery);
  }
  return written;
}

/** How many of what was acknowledged are not there after the server was killed. */
async function lost(written) {
  const index = await Index.open(PAPERS, { encoder: false });
  const found = await index.get(written.map(({ id }) => id));
  await index.close();
  return found.filter((document) => !document).length;
}

function report(result, resident, written, missing) {
  const tenth = Math.max(1, Math.ceil(resident.length / 10));
  const parts = Array.from({ length: 10 }, (_, i) => resident.slice(i * tenth, (i + 1) * tenth));
  const most = parts.filter(({ length }) => length).map((part) => Math.max(...part));
  console.log(`resident, MB, most in each tenth of ${result.duration} s: ${most.join(' ')}`);
  const ms = written.map((one) => one.ms).sort((a, b) => a - b);
  if (ms.length > 0)
    console.log(
      `${ms.length} documents added beside, ms: median ${Math.round(ms[ms.length >> 1])}, ` +
        `longest ${Math.round(ms[ms.length - 1])}; lost after kill -9: ${missing}`,
    );
  const { errors, timeouts, non2xx } = result;
  console.log(`not answered: ${errors} errors, ${timeouts} timeouts, ${non2xx} other statuses`);
}
