// Whether a fit on the GPU ranks as the processor's does: recall of the exact top 10 among k'
// candidates and nDCG@10 after reranking 200, for a fit on each with the same options and seed,
// and the GPU's searched on both:
//   node bench/gpu-recall.mjs VECTORS [--tokens N] [--qrels FILE] [--json FILE] [--option=value]
// VECTORS: see bench/vectors.mjs. With --tokens the first N of each document, of which a GPU that
// is a program has enough to do. Options are those of Lemur.fit. Ends with 1 where recall differs
// by more than .003.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createCpuDevice } from '../dist/device/cpu/cpu-device.js';
import { describeAdapter, openWebGpu } from '../dist/device/webgpu/open-webgpu.js';
import { Lemur, MaxSim, memoryStorage } from '../dist/entry/node.js';
import { requestNodeGpu } from '../dist/entry/node-gpu.js';
import { nodePlatform } from '../dist/entry/node-platform.js';
import { fitOptionsOf } from './fit-options.mjs';
import { exactBest, loadVectors, machine, ndcgOf, readQrels, recallOf } from './vectors.mjs';

const MOST_APART = 0.003;
const CANDIDATES = [50, 100, 200];

const own = { tokens: { type: 'string' }, qrels: { type: 'string' }, json: { type: 'string' } };
const parsed = parseArgs({ allowPositionals: true, strict: false, tokens: true, options: own });
const { positionals, values, tokens } = parsed;
const options = fitOptionsOf(tokens, Object.keys(own));
const vectors = loadVectors(positionals[0]);
const { queries } = vectors;
const documents = values.tokens ? cut(vectors.documents, Number(values.tokens)) : vectors.documents;
const qrels = values.qrels && readQrels(values.qrels);

const gpu = await requestNodeGpu();
const { adapter } = await describeAdapter(gpu);
const cpu = await createCpuDevice(nodePlatform);
const card = await openWebGpu(gpu, cpu);
const devices = { cpu, webgpu: card };
const rowCount = documents.vectors.length / documents.dim;
console.log(`${machine}; ${adapter}; ${documents.counts.length} documents, ${rowCount} tokens`);
const best = await exactBest(documents, queries);
const exact = { cpu: await MaxSim.create(documents, { device: cpu }) };

const rows = [];
const weights = {};
for (const fitted of ['cpu', 'webgpu']) {
  const begun = performance.now();
  const lemur = await Lemur.fit(documents, { ...options, device: devices[fitted] });
  told(`fit on ${fitted}`, begun);
  weights[fitted] = await lemur.W;
  await searched(lemur, fitted, fitted);
  if (fitted === 'cpu') continue;
  const storage = memoryStorage();
  await lemur.save(storage);
  await searched(await Lemur.load(storage, { device: cpu }), fitted, 'cpu');
}

const of = (fitted, device) =>
  rows.find((row) => row['fitted on'] === fitted && row['searched on'] === device);
const pairs = [of('webgpu', 'webgpu'), of('webgpu', 'cpu')].flatMap((row) =>
  CANDIDATES.map((k) => Math.abs(row[`k' = ${k}`] - of('cpu', 'cpu')[`k' = ${k}`])),
);
const apart = Math.max(...pairs);
const error = relativeError(weights.webgpu, weights.cpu);
console.table(rows);
console.log(
  `recall apart by ${apart.toFixed(4)} at most (${MOST_APART} is right), weights by ` +
    `${error.toExponential(1)} of their norm`,
);
if (values.json)
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine, adapter, options, rows, apart, error }, null, 2)}\n`,
  );
// what Dawn has keeps a process alive
process.exit(apart > MOST_APART ? 1 : 0);

/** A row of the table. */
async function searched(lemur, fitted, searchedOn) {
  const begun = performance.now();
  const row = { 'fitted on': fitted, 'searched on': searchedOn };
  let candidates;
  for (const k of CANDIDATES) {
    candidates = await lemur.candidates(queries, k);
    row[`k' = ${k}`] = +recallOf(candidates, best, 10).toFixed(4);
  }
  const device = devices[searchedOn];
  exact[searchedOn] ??= await MaxSim.create(documents, { device });
  const top = await exact[searchedOn].rerankSubset(queries, 10, candidates);
  if (qrels) row['nDCG@10'] = +ndcgOf(vectors, qrels, top).toFixed(4);
  rows.push(row);
  told(JSON.stringify(row), begun);
}

/** Where it is, for whoever waits. */
function told(what, begun) {
  console.error(`${what}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
}

/** The first tokens of each document. */
function cut({ vectors, counts, dim }, most) {
  const parts = [];
  let row = 0;
  for (const count of counts) {
    parts.push(vectors.subarray(row * dim, (row + Math.min(count, most)) * dim));
    row += count;
  }
  const kept = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    kept.set(part, at);
    at += part.length;
  }
  return { vectors: kept, counts: counts.map((count) => Math.min(count, most)), dim };
}

function relativeError(a, b) {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
