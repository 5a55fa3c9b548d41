// Fit and search by stage on a folder of token vectors: seconds, recall of the exact top 10 and 100
// by Lemur's candidates, nDCG@10 after reranking, milliseconds a query in a batch and one at a
// time:
//   node bench/recall.mjs VECTORS [--qrels FILE] [--json FILE] [--option=value ...]
// --cone=3 adds three times one unit vector to every token and renormalises, as models with a
// narrow cone have them. VECTORS: see bench/vectors.mjs. Options are those of Lemur.fit.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Lemur, MaxSim } from '../dist/entry/node.js';
import { loadVectors, machine, ndcgOf, readQrels, recallOf } from './vectors.mjs';

const { positionals, values, tokens } = parseArgs({
  allowPositionals: true,
  strict: false,
  tokens: true,
  options: { qrels: { type: 'string' }, json: { type: 'string' }, cone: { type: 'string' } },
});
const [folder] = positionals;
const options = {};
for (const token of tokens) {
  if (token.kind !== 'option' || ['qrels', 'json', 'cone'].includes(token.name)) continue;
  options[token.name] =
    token.value === 'null'
      ? null
      : Number.isNaN(Number(token.value))
        ? token.value
        : Number(token.value);
}

const vectors = loadVectors(
  folder,
  values.cone && ((vectors, dim) => narrow(vectors, dim, Number(values.cone))),
);
const { documents, queries, stored } = vectors;
const count = queries.counts.length;
const qrels = values.qrels && readQrels(values.qrels);

const stages = {};
let last = performance.now();
let stage = 'prepare';
const onProgress = (progress) => {
  if (progress.stage === stage) return;
  const now = performance.now();
  stages[stage] = (stages[stage] ?? 0) + (now - last) / 1000;
  stage = progress.stage;
  last = now;
};
const started = performance.now();
const lemur = await Lemur.fit(documents, { ...options, onProgress });
onProgress({ stage: 'end' });
const fitSeconds = (performance.now() - started) / 1000;

const maxSim = await MaxSim.create(documents);
let t = performance.now();
const best = await maxSim.search(queries, 100);
const exactMs = (performance.now() - t) / count;

const rows = [];
for (const [scan, k] of ['prefix', 'full'].flatMap((scan) =>
  [50, 100, 200, 400].map((k) => [scan, k]),
)) {
  t = performance.now();
  const candidates = await lemur.candidates(queries, k, { scan });
  const candidatesMs = (performance.now() - t) / count;
  t = performance.now();
  const reranked = await maxSim.rerankSubset(queries, 10, candidates);
  const rerankMs = (performance.now() - t) / count;
  rows.push({
    scan,
    k,
    recall10: recallOf(candidates, best.indices, 10),
    recall100: recallOf(candidates, best.indices, 100),
    ndcg10: ndcg(reranked),
    candidatesMs,
    rerankMs,
  });
}

/** One query at a time, 200 candidates: medians of all queries. */
const single = { features: [], prefix: [], full: [], rerank: [], exact: [] };
for (const query of singleQueries()) {
  const timed = async (name, run) => {
    const from = performance.now();
    const result = await run();
    single[name].push(performance.now() - from);
    return result;
  };
  await timed('features', () => lemur.computeFeatures(query));
  const candidates = await timed('prefix', () => lemur.candidates(query, 200));
  await timed('full', () => lemur.candidates(query, 200, { scan: 'full' }));
  await timed('rerank', () => maxSim.rerankSubset(query, 10, candidates));
  await timed('exact', () => maxSim.search(query, 10));
}
const singleMs = Object.fromEntries(
  Object.entries(single).map(([name, times]) => [
    name,
    times.sort((a, b) => a - b)[times.length >> 1],
  ]),
);

const report = {
  machine,
  folder,
  options,
  fitSeconds,
  stages,
  exactMs,
  exactNdcg10: ndcg(best),
  overlapWithStored: stored ? recallOf(topTen(best), stored, 10) : undefined,
  rows,
  singleMs,
};
console.log(
  `${machine}\nfit ${fitSeconds.toFixed(1)} s: ${Object.entries(stages)
    .map(([name, s]) => `${name} ${s.toFixed(1)}`)
    .join(', ')}`,
);
console.log(
  `exact MaxSim ${exactMs.toFixed(2)} ms a query in a batch, ` +
    `nDCG@10 ${report.exactNdcg10?.toFixed(4) ?? '-'}, ` +
    `same top 10 as stored ${report.overlapWithStored?.toFixed(4) ?? '-'}`,
);
console.table(
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'number' ? +value.toFixed(4) : (value ?? ''),
      ]),
    ),
  ),
);
console.log(
  `one query at a time, median ms: ${Object.entries(singleMs)
    .map(([name, ms]) => `${name} ${ms.toFixed(2)}`)
    .join(', ')} (prefix and full: candidates, features included)`,
);
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);

/** At most 100 queries, each as a set of its own. */
function singleQueries() {
  const sets = [];
  let row = 0;
  for (const tokens of queries.counts.subarray(0, 100)) {
    sets.push({
      vectors: queries.vectors.slice(row * queries.dim, (row + tokens) * queries.dim),
      counts: [tokens],
      dim: queries.dim,
    });
    row += tokens;
  }
  return sets;
}

/** v := (v + size u) / |v + size u|, u the unit vector (1, 1, ..) / sqrt(dim). */
function narrow(vectors, dim, size) {
  for (let at = 0; at < vectors.length; at += dim) {
    const row = vectors.subarray(at, at + dim);
    const length = Math.hypot(...row) || 1;
    for (let j = 0; j < dim; j++) row[j] = row[j] / length + size / Math.sqrt(dim);
    const norm = Math.hypot(...row);
    for (let j = 0; j < dim; j++) row[j] /= norm;
  }
}

/** The first ten of a hundred. */
function topTen({ indices }) {
  return {
    indices: Int32Array.from(
      { length: count * 10 },
      (_, i) => indices[Math.floor(i / 10) * 100 + (i % 10)],
    ),
    k: 10,
  };
}

function ndcg(top) {
  return qrels && ndcgOf(vectors, qrels, top);
}
