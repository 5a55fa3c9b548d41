// This checkout beside another one, as users call both: fit, search, a collection in a folder,
// batches, exact MaxSim, two callers, holds of the main thread, weights of many documents, bytes.
//   npm run bench:speed -- VECTORS [--base CHECKOUT] [--node PATH|MAJOR ...] [--merging on|off]
//     [--only fit,recall,search,index,batch,exact,callers,holds,weights,bytes] [--quick]
//     [--rounds 3] [--queries 100] [--precisions int8,float32] [--models FOLDER] [--json FILE]
// CHECKOUT is another, built. Each side runs in a process of its own for every Node, and once more
// where that Node merges WASM instructions to 256 bits (--experimental-wasm-revectorize; --merging
// chooses one). Sides take turns, stage by stage, in every round. `--node 24` takes that version
// from npm; the default is the Node that runs this. A side's model is fitted once, and its
// collection made, or taken from --models, which keeps them, and read by all of its processes;
// without `fit` among --only the fit is not timed. --quick has one fit a side of a quarter of the
// length, and so a lower recall.
// VECTORS: see vectors.mjs.
import { execFileSync, fork } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nodeOf } from '../scripts/node-of.mjs';
import { speedTables } from './speed-tables.mjs';
import { machine } from './vectors.mjs';

const MERGING = '--experimental-wasm-revectorize';
const PRECISE = ['search', 'index', 'batch', 'exact', 'callers', 'holds', 'bytes'];
/** Each once: they are the same every time, or take long. */
const ONCE = ['recall', 'bytes'];
const STAGES = 'recall,search,index,batch,exact,callers,holds,weights,bytes'.split(',');
/** Enough of a fit for times of searches; its recall is lower. */
const QUICK_FIT = { epochs: 2, olsSampleSize: 4096 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    base: { type: 'string' },
    node: { type: 'string', multiple: true },
    merging: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    queries: { type: 'string' },
    precisions: { type: 'string' },
    models: { type: 'string' },
    json: { type: 'string' },
  },
});
const { quick } = values;
const vectors = positionals[0];
if (!vectors) {
  console.error(
    'expected a folder of token vectors: npm run bench:speed -- VECTORS (docs/benchmarks.md)',
  );
  process.exit(2);
}
const chosen = values.only?.split(',') ?? (quick ? STAGES : ['fit', ...STAGES]);
const unknown = chosen.find((stage) => stage !== 'fit' && !STAGES.includes(stage));
if (unknown) throw new Error(`--only ${unknown}: expected some of fit, ${STAGES.join(', ')}`);
const rounds = Number(values.rounds ?? (quick ? 2 : 3));
const queries = Number(values.queries ?? (quick ? 40 : 100));
const precisions = (values.precisions ?? (quick ? 'int8' : 'int8,float32')).split(',');

const models = values.models ?? mkdtempSync(join(tmpdir(), 'lemur-speed-'));
mkdirSync(models, { recursive: true });
const here = fileURLToPath(new URL('..', import.meta.url));
const sides = [side('this', here), ...(values.base ? [side('base', values.base)] : [])].reverse();
const settings = (values.node ?? [process.execPath]).flatMap(settingsOf);
const children = [];
try {
  for (const setting of settings) {
    for (const side of sides)
      children.push({ setting, side, measured: [], ...start(setting, side) });
  }
  for (const child of children) await child.ready;
  await fitModels();
  for (let round = 0; round < rounds; round++) {
    for (const [stage, options] of steps(round)) {
      for (const child of children) await measure(child, stage, options);
    }
  }
} finally {
  for (const { process } of children) process.disconnect();
  if (!values.models) rmSync(models, { recursive: true });
}
const report = {
  machine: machine.replace(/, Node .*/, ''),
  vectors,
  rounds,
  queries,
  quick,
  sides: sides.map(({ name, commit }) => ({ name, commit })),
  settings: settings.map(({ name }) => name),
  measured: children.map(({ setting, side, measured }) => ({
    setting: setting.name,
    side: side.name,
    measured,
  })),
};
console.log(speedTables(report));
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);

/** A checkout: where its entry is, which differs between versions, and its model. */
function side(name, folder) {
  const entry = ['entry/node.js', 'node.js']
    .map((file) => join(folder, 'dist', file))
    .find((file) => existsSync(file));
  if (!entry) throw new Error(`${folder}: not built`);
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: folder });
  return {
    name,
    entry,
    commit: commit.toString().trim(),
    model: join(models, quick ? `${name}-quick` : name),
  };
}

/** A Node by its path or major version, as it is and with merging where it has that. */
function settingsOf(node) {
  const path = /^\d+$/.test(node) ? nodeOf(node) : node;
  const version = execFileSync(path, ['-v']).toString().trim().slice(1);
  const merges = execFileSync(path, ['--v8-options']).toString().includes(MERGING.slice(2));
  return [
    ...(merges && values.merging === 'on' ? [] : [{ name: `Node ${version}`, path, flags: [] }]),
    ...(merges && values.merging !== 'off'
      ? [{ name: `Node ${version}, 256-bit merging`, path, flags: [MERGING] }]
      : []),
  ];
}

function start({ path, flags }, { entry, model }) {
  const script = fileURLToPath(new URL('speed-child.mjs', import.meta.url));
  const child = fork(script, [entry, vectors, model], { execPath: path, execArgv: flags });
  return { process: child, ready: reply(child) };
}

function reply(child) {
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`a process ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.removeListener('exit', ended);
      if (message.error) reject(new Error(message.error));
      else resolve(message);
    });
  });
}

async function ask({ process }, message) {
  const answer = reply(process);
  process.send(message);
  return (await answer).result;
}

async function measure(child, stage, options) {
  const { precision } = options;
  process.stderr.write(
    `${[stage, precision, child.side.name, child.setting.name].filter(Boolean).join(', ')}\n`,
  );
  try {
    child.measured.push({ stage, precision, result: await ask(child, { stage, ...options }) });
  } catch (error) {
    // an older side need not know each precision
    if (child.side.name !== 'base' || !PRECISE.includes(stage)) throw error;
    process.stderr.write(`${error.message.split('\n')[0]}\n`);
  }
}

/** In every process where the fit is timed, else once a side that has no model yet. */
async function fitModels() {
  const options = quick ? QUICK_FIT : {};
  for (const child of children) {
    if (chosen.includes('fit')) await measure(child, 'fit', { options });
    else if (!existsSync(child.side.model)) await ask(child, { stage: 'fit', options });
  }
}

/** What each process is asked in a round. */
function steps(round) {
  return STAGES.filter(
    (stage) => chosen.includes(stage) && (round === 0 || !ONCE.includes(stage)),
  ).flatMap((stage) =>
    (PRECISE.includes(stage) ? precisions : [undefined]).map((precision) => [
      stage,
      { precision, count: stage === 'exact' ? Math.ceil(queries / 5) : queries },
    ]),
  );
}
