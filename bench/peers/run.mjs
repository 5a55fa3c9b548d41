// Lemur beside other engines, on the same vectors, queries and machine: npm run bench:peers --
// VECTORS [options]. README.md says what each row means.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MaxSim } from '../../dist/entry/node.js';
import { loadVectors, machine } from '../vectors.mjs';
import { PEERS } from './peers.mjs';
import { markdown, plot } from './tables.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    docs: { type: 'string' },
    queries: { type: 'string' },
    threads: { type: 'string', default: '2,1' },
    node: { type: 'string', multiple: true, default: [] },
    reference: { type: 'string' },
    'reference-epochs': { type: 'string' },
    venv: { type: 'string' },
    out: { type: 'string' },
  },
});
const [folder] = positionals;
if (!folder) throw new Error('usage: npm run bench:peers -- VECTORS [--only ours,muvera] ...');
const here = fileURLToPath(new URL('.', import.meta.url));
const out = values.out ?? join(here, 'results');
const venv = values.venv ?? join(here, '.venv');
mkdirSync(out, { recursive: true });

const chosen = PEERS.filter(isAsked).map(withFewerEpochs);
const work = join(tmpdir(), `lemur-peers-${process.pid}`);
const shape = await prepare();
const unusable = new Map();
const rows = [];
const lines = join(out, 'rows.jsonl');
writeFileSync(lines, '');
for (const peer of chosen)
  for (const node of peer.kind === 'node' ? [process.execPath, ...values.node] : [undefined])
    for (const threads of values.threads.split(',').map(Number)) measure(peer, threads, node);
writeFileSync(join(out, 'table.md'), markdown(rows, `${machine}; ${describe()}`));
writeFileSync(join(out, 'ms.svg'), plot(rows, 'p50', 'ms a query, median'));
writeFileSync(join(out, 'bytes.svg'), plot(rows, 'bytesAToken', 'bytes a token'));
rmSync(work, { recursive: true, force: true });
console.log(`${lines}, table.md, ms.svg, bytes.svg`);

/** By its name, or by how names begin where none is the whole of it. */
function isAsked({ name }) {
  if (!values.only) return true;
  const isWhole = (part) => PEERS.some((peer) => peer.name === part);
  const alike = (part) => (isWhole(part) ? name === part : name.startsWith(part));
  return values.only.split(',').some(alike);
}

/** The reference at its defaults takes hours; a few epochs say how many. */
function withFewerEpochs(peer) {
  const epochs = Number(values['reference-epochs']);
  if (peer.name !== 'reference' || !epochs) return peer;
  return { ...peer, name: `reference, ${epochs} of 100 epochs`, settings: { epochs } };
}

function describe() {
  return `${shape.documents} documents, ${shape.tokens} tokens, ${shape.queries} queries`;
}

/** Writes the vectors for all peers, and finds the exact ten best, which recall is measured by. */
async function prepare() {
  const { documents, queries } = loadVectors(folder);
  const first = ({ vectors, counts, dim }, most) => {
    const own = counts.slice(0, most ? Number(most) : counts.length);
    const tokens = own.reduce((sum, count) => sum + count, 0);
    return { vectors: vectors.slice(0, tokens * dim), counts: own, dim };
  };
  const [docs, asked] = [first(documents, values.docs), first(queries, values.queries)];
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, 'docs.f32'), bytesOf(docs.vectors));
  writeFileSync(join(work, 'lens.i32'), bytesOf(Int32Array.from(docs.counts)));
  writeFileSync(join(work, 'queries.f32'), bytesOf(asked.vectors));
  writeFileSync(join(work, 'qlens.i32'), bytesOf(Int32Array.from(asked.counts)));
  writeFileSync(join(work, 'shape.json'), JSON.stringify({ dim: docs.dim }));
  const maxSim = await MaxSim.create(docs);
  const { indices, k } = await maxSim.search(asked, Math.min(10, docs.counts.length));
  maxSim.close();
  return {
    documents: docs.counts.length,
    tokens: docs.vectors.length / docs.dim,
    queries: asked.counts.length,
    best: Array.from(asked.counts, (_, q) => new Set(indices.subarray(q * k, (q + 1) * k))),
  };
}

function bytesOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** One peer in a process of its own; a row of what was found, or of why there is none. */
function measure(peer, threads, node) {
  const common = { peer: peer.name, settings: peer.settings, threads, machine, ...shapeOf(node) };
  let missing = unusable.get(peer.kind);
  if (missing === undefined) {
    missing = prepareKind(peer.kind);
    unusable.set(peer.kind, missing);
  }
  if (missing) return note({ ...common, missing });
  rmSync(join(work, 'index'), { recursive: true, force: true });
  rmSync(join(work, 'result.json'), { force: true });
  const [command, ...args] = commandOf(peer, threads, node);
  const one = threads === 1 && process.platform === 'linux' ? ['taskset', '-c', '0'] : [];
  const all = [...one, command, ...args];
  const env = environment(threads);
  const ran = spawnSync(all[0], all.slice(1), { env, cwd: here, encoding: 'utf8' });
  if (ran.status !== 0 || !existsSync(join(work, 'result.json'))) {
    const end = `${ran.stderr ?? ran.error}`.trim().split('\n').at(-1);
    return note({ ...common, missing: `ended with ${ran.status ?? ran.signal}: ${end}` });
  }
  const { buildSeconds, bytes, rows: found, remark } = readResult();
  if (remark) console.log(`${peer.name}: ${remark}`);
  for (const { knob, ms, ids } of found)
    note({ ...common, knob, buildSeconds, bytesAToken: bytes / shape.tokens, ...facts(ms, ids) });
}

function shapeOf(node) {
  const { documents, tokens, queries } = shape;
  return { ...(node ? { node: versionOf(node) } : {}), documents, tokens, queries };
}

/** A version and flags. */
function versionOf(node) {
  const [path, ...flags] = node.split(' ');
  return [spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim(), ...flags].join(' ');
}

function readResult() {
  return JSON.parse(readFileSync(join(work, 'result.json'), 'utf8'));
}

function facts(ms, ids) {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  let hits = 0;
  let wanted = 0;
  for (const [q, found] of ids.entries()) {
    wanted += shape.best[q].size;
    for (const id of new Set(found.slice(0, 10))) if (shape.best[q].has(id)) hits++;
  }
  return { p50: at(0.5), p95: at(0.95), recall10: hits / wanted };
}

function note(row) {
  rows.push(row);
  appendFileSync(lines, `${JSON.stringify(row)}\n`);
  const what = row.missing ?? `recall ${row.recall10.toFixed(3)}, ${row.p50.toFixed(2)} ms`;
  console.log(`${row.peer} ${JSON.stringify(row.knob ?? {})} ${row.threads} threads: ${what}`);
}

function environment(threads) {
  const env = { ...process.env, TOKENIZERS_PARALLELISM: 'false' };
  // they make OpenBLAS take the kernels of another machine
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  for (const name of ['OMP', 'MKL', 'OPENBLAS', 'RAYON', 'NUMEXPR', 'BLIS'])
    env[`${name}_NUM_THREADS`] = `${threads}`;
  for (const name of ['TOKIO_WORKER_THREADS', 'LANCE_CPU_THREADS', 'LANCE_IO_THREADS'])
    env[name] = `${threads}`;
  return env;
}

function commandOf({ kind, script, settings }, threads, node) {
  const args = [work, `${threads}`, JSON.stringify(settings)];
  if (kind === 'node') return [...node.split(' '), join(here, script), ...args];
  if (kind === 'cargo')
    return [join(here, 'next-plaid/target/release/next-plaid-peer'), work, `${settings.bits}`];
  return [join(venv, 'bin/python'), join(here, script), ...args];
}

/** Installs what a kind of peer needs. Returns why it cannot, or an empty string. */
function prepareKind(kind) {
  const python = join(venv, 'bin/python');
  if (kind === 'node') return '';
  if (kind === 'cargo') {
    const env = { ...process.env, RUSTFLAGS: '-C target-cpu=native' };
    const args = ['build', '--release', '--quiet'];
    return tried('cargo', args, { cwd: join(here, 'next-plaid'), env });
  }
  if (!existsSync(python)) {
    const failed =
      tried('python3', ['-m', 'venv', venv]) ||
      tried(python, ['-m', 'pip', 'install', '-q', '-r', join(here, 'requirements.txt')]);
    if (failed) return failed;
  }
  if (kind === 'python') return '';
  if (spawnSync(python, ['-c', 'import lemur.maxsim']).status === 0) return '';
  if (!values.reference) return 'needs --reference PATH, a checkout of the Python reference';
  return tried(python, ['-m', 'pip', 'install', '-q', values.reference]);
}

function tried(command, args, options = {}) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  return status === 0 ? '' : `${command}: ${`${stderr ?? error}`.trim().split('\n').at(-1)}`;
}
