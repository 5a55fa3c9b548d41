// How costs grow with documents, tokens a document and dimensions:
//   node bench/growth.mjs [--shapes DOCUMENTSxTOKENSxDIM,...] [--vectors DIR] [--queries 100]
//     [--threads 2] [--json FILE] [--option=value ...]
// Fits a collection of each shape (options of Index.fit as given) and asks it one query after the
// other for 100 candidates; processor time is of all threads, and says more on a loaded machine.
// Documents and queries as scale.mjs makes them, other widths by a random projection: what recall
// they have says little of real ones, only whether a shape loses some.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Index } from '../dist/entry/node.js';
import { fitOptionsOf } from './fit-options.mjs';
import { openPool, projected, synthesizer } from './synthetic.mjs';
import { machine } from './vectors.mjs';

const SHAPES =
  '5000x32x128,30000x32x128,61000x32x128,5000x180x128,5000x1000x128,' +
  '5000x32x48,5000x32x96,5000x32x384,5000x32x768';
const CANDIDATES = 100;
const K = 10;

const { values, tokens: parsed } = parseArgs({
  strict: false,
  tokens: true,
  options: {
    shapes: { type: 'string', default: SHAPES },
    vectors: { type: 'string' },
    queries: { type: 'string', default: '100' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const fitOptions = fitOptionsOf(parsed, ['shapes', 'vectors', 'queries', 'threads', 'json']);
const pool = openPool(values.vectors);
const rows = [];
for (const shape of values.shapes.split(',')) {
  const [documents, tokens, dim] = shape.split('x').map(Number);
  rows.push({ documents, tokens, dim, ...(await measure(documents, tokens, dim)) });
  console.error(JSON.stringify(rows.at(-1)));
}
console.log(`${machine}, Node ${process.version}, ${values.threads} threads, ${pool.from}`);
console.table(rows);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);

async function measure(documents, tokens, dim) {
  const folder = mkdtempSync(join(tmpdir(), 'lemur-growth-'));
  try {
    const make = synthesizer(projected(pool, dim), 0);
    const threads = Number(values.threads);
    const index = await Index.create(folder, { dim, features: 'trained', threads });
    await index.add(made(make, documents, tokens), { fit: false });
    const from = performance.now();
    const before = process.cpuUsage();
    let weights;
    const onProgress = ({ stage }) => {
      if (stage === 'document weights') weights ??= process.cpuUsage();
    };
    await index.fit({ ...fitOptions, onProgress });
    const end = performance.now();
    const [all, ofWeights] = [before, weights].map(secondsSince);
    const asked = Array.from({ length: Number(values.queries) }, (_, n) => make.query(n));
    const result = {
      'fit s': round((end - from) / 1000, 1),
      'processor s': round(all, 1),
      'of which weights s': round(ofWeights, 1),
      ...(await search(index, asked)),
      'bytes a document': Math.round(bytesOf(folder) / documents),
    };
    await index.close();
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function* made(make, documents, tokens) {
  for (let n = 0; n < documents; n++) yield { id: `${n}`, tokens: make.document(n, tokens) };
}

async function search(index, asked) {
  const times = [];
  let processor = 0;
  let found = 0;
  for (const query of asked) {
    const exact = await index.search(query, { k: K, numCandidates: index.size, include: [] });
    const least = exact.hits.at(-1).score;
    await index.search(query, { k: K, numCandidates: CANDIDATES, include: [] });
    const from = performance.now();
    const before = process.cpuUsage();
    const { hits } = await index.search(query, { k: K, numCandidates: CANDIDATES, include: [] });
    times.push(performance.now() - from);
    processor += secondsSince(before);
    found += hits.filter(({ score }) => score >= least).length / K;
  }
  times.sort((a, b) => a - b);
  return {
    'query ms': round(times[times.length >> 1], 2),
    'least ms': round(times[0], 2),
    'processor ms': round((1000 * processor) / asked.length, 2),
    recall: round(found / asked.length, 3),
  };
}

function secondsSince(before) {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function bytesOf(folder) {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function round(value, digits) {
  return +value.toFixed(digits);
}
