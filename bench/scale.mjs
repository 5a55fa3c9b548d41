// Time and memory of a large collection on disk:
//   npm run bench:scale -- --docs N [--json FILE] [--tokens 32] [--folder DIR] [--vectors DIR]
//     [--seed 0] [--keep] [--borrow N] [--option=value ...]
// Builds a collection of N documents (streamed into `add`, then `fit` with the given options of
// Index.fit), then measures opening, searches, one add, one delete and `verify` in fresh processes.
// With --folder a run that was stopped goes on where it was, and the collection stays; else it is
// made in a temporary folder and deleted, unless --keep. Documents are real token vectors
// recombined and perturbed (--vectors, default the demo's collection; synthetic.mjs): for time and
// memory only, recall on them means nothing. A million documents of 32 tokens take 5.6 GB. With
// --borrow the model is fitted to the first N documents in a folder of its own, and the others get
// their codes by turns: searches cost what they would, and the fit of all is left out.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Index } from '../dist/entry/node.js';
import { borrowCodes } from './borrowed-codes.mjs';
import { randomOf } from './collection.mjs';
import { fitOptionsOf } from './fit-options.mjs';
import { peakMemory, resetPeak } from './memory.mjs';
import { openPool, synthesizer } from './synthetic.mjs';
import { machine } from './vectors.mjs';

const NOTE =
  'Vectors recombined and perturbed: for time and memory only; recall on them means nothing.';
const OWN = ['docs', 'json', 'tokens', 'folder', 'vectors', 'seed', 'keep', 'borrow'];

const { values, tokens: parsed } = parseArgs({
  strict: false,
  tokens: true,
  options: {
    docs: { type: 'string' },
    json: { type: 'string' },
    tokens: { type: 'string', default: '32' },
    folder: { type: 'string' },
    vectors: { type: 'string' },
    seed: { type: 'string', default: '0' },
    keep: { type: 'boolean', default: false },
    borrow: { type: 'string' },
  },
});
const [documents, tokens, seed] = [values.docs, values.tokens, values.seed].map(Number);
if (!(documents >= 1))
  throw new Error(`--docs: expected a number of documents, got ${values.docs}`);
const fitOptions = fitOptionsOf(parsed, OWN);

const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'lemur-scale-'));
const pool = openPool(values.vectors);
const make = synthesizer(pool, seed);
const build = await buildCollection();
const files = fileSizes();
const asked = writeQueries();
const runs = [];
for (const args of [['search', '1'], ['search', '2'], ['verify'], ['write']]) {
  console.error(`measuring: ${args.join(' ')}`);
  runs.push({ name: args.join(' '), ...child(args) });
}
rmSync(asked);

const report = {
  note: NOTE,
  machine,
  node: process.version,
  commit: commit(),
  date: new Date().toISOString(),
  documents,
  tokens,
  dim: pool.dim,
  vectors: pool.from,
  build,
  files,
  runs,
};
print(report);
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
if (!values.folder && !values.keep) rmSync(folder, { recursive: true });

/**
 * Makes the collection, or what is missing of it. Times of earlier runs are in a file beside it.
 */
async function buildCollection() {
  const kept = `${folder}.build.json`;
  const state = existsSync(kept)
    ? JSON.parse(readFileSync(kept, 'utf8'))
    : { seconds: { generate: 0, add: 0 }, peak: {}, fit: null };
  const started = existsSync(join(folder, 'index.json'));
  const index = started
    ? await Index.open(folder, { write: true })
    : await Index.create(folder, { dim: pool.dim, features: 'trained' });
  const save = () => {
    if (values.folder) writeFileSync(kept, JSON.stringify(state));
  };
  let generating = 0;
  const missing = made(index.size, documents, (ms) => {
    generating += ms;
  });
  resetPeak();
  const before = { ...state.seconds };
  let from = performance.now();
  const onProgress = ({ done }) => {
    state.seconds.generate = before.generate + generating / 1000;
    state.seconds.add = before.add + (performance.now() - from - generating) / 1000;
    save();
    console.error(`add: ${done} documents, ${state.seconds.add.toFixed(0)} s`);
  };
  if (index.size < documents) {
    await index.add(missing, { onExisting: 'skip', fit: false, onProgress });
    state.peak.add = Math.max(state.peak.add ?? 0, peakMemory());
  }
  const unfitted = index.stats().features === 'exact';
  if (unfitted && !values.borrow) {
    resetPeak();
    const stages = {};
    let stage = 'prepare';
    let last = performance.now();
    from = last;
    const step = (next) => {
      const now = performance.now();
      stages[stage] = (stages[stage] ?? 0) + (now - last) / 1000;
      last = now;
      if (next !== stage) console.error(`fit: ${next}, ${((now - from) / 1000).toFixed(0)} s`);
      stage = next;
    };
    await index.fit({ ...fitOptions, onProgress: (progress) => step(progress.stage) });
    step('end');
    state.fit = { options: fitOptions, seconds: (performance.now() - from) / 1000, stages };
    state.peak.fit = peakMemory();
  }
  save();
  await index.close();
  if (unfitted && values.borrow) await borrow(Number(values.borrow));
  return state;
}

/** Documents of the collection; `took` hears how many milliseconds each was in the making. */
function* made(first, end, took) {
  for (let n = first; n < end; n++) {
    const from = performance.now();
    const document = {
      id: `document-${n}`,
      tokens: make.document(n, tokens),
      metadata: { r: randomOf(n)(), group: `g${n % 100}` },
    };
    took?.(performance.now() - from);
    yield document;
  }
}

/** The model and the codes of the first documents for all. */
async function borrow(count) {
  const lender = `${folder}.lender`;
  rmSync(lender, { recursive: true, force: true });
  const index = await Index.create(lender, { dim: pool.dim, features: 'trained' });
  await index.add(made(0, count), { fit: false });
  await index.fit(fitOptions);
  await index.close();
  await borrowCodes(folder, lender);
  rmSync(lender, { recursive: true });
}

/** Bytes by the kind of file. */
function fileSizes() {
  const sizes = {};
  for (const name of readdirSync(folder)) {
    const kind = name.split('.')[0];
    sizes[kind] = (sizes[kind] ?? 0) + statSync(join(folder, name)).size;
  }
  sizes.all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  return sizes;
}

/** Queries and a document for the other processes, which have no pool in their memory. */
function writeQueries() {
  const file = `${folder}.queries.json`;
  const plain = ({ data, dims }) => ({ dims, data: Buffer.from(data.buffer).toString('base64') });
  const queries = Array.from({ length: 400 }, (_, n) => plain(make.query(n)));
  writeFileSync(
    file,
    JSON.stringify({
      queries,
      document: {
        n: Math.floor(documents / 2),
        ...plain(make.document(Math.floor(documents / 2), tokens)),
      },
    }),
  );
  return file;
}

function child(args) {
  const script = fileURLToPath(new URL('scale-child.mjs', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [script, folder, asked, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 26,
  });
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout.toString());
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .toString()
      .trim();
  } catch {
    return null;
  }
}

function print({ build: { seconds, fit, peak }, ...all }) {
  const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  const s = (value) => `${value.toFixed(1)} s`;
  console.log(`${machine}, ${all.date}, commit ${all.commit}\n${NOTE}`);
  console.log(
    `${documents} documents of ${tokens} tokens x ${pool.dim} (${pool.from}) in ${folder}`,
  );
  console.log(
    `generate ${s(seconds.generate)}, ` +
      `add ${s(seconds.add)}${peak.add ? ` (peak ${mb(peak.add)})` : ''}`,
  );
  if (fit) {
    const parts = Object.entries(fit.stages).map(([name, value]) => `${name} ${s(value)}`);
    console.log(
      `fit ${s(fit.seconds)} (peak ${mb(peak.fit)}): ${parts.join(', ')}; ` +
        `options ${JSON.stringify(fit.options)}`,
    );
  }
  console.log(
    `files: ${Object.entries(files)
      .map(([kind, bytes]) => `${kind} ${mb(bytes)}`)
      .join(', ')}`,
  );
  for (const { name, ...values } of all.runs) {
    console.log(`\n${name}`);
    const rows = Object.entries(values).map(([key, value]) => [
      key,
      /bytes/i.test(key) ? mb(value) : Array.isArray(value) ? value.length : +value.toFixed(3),
    ]);
    console.table(Object.fromEntries(rows.map(([key, value]) => [key, { value }])));
  }
}
