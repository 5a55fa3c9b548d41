// Recall of the exact top 10 and 100 by Lemur's candidates, and nDCG@10 after reranking, on a folder of token vectors:
//   node bench/recall.mjs VECTORS [--qrels FILE] [--json FILE] [--option=value ...]
// --cone=3 adds three times one unit vector to every token and renormalises, as models with a narrow cone have them.
// VECTORS has docs.i8.npy (rows x dim), docs.lens.npy, docs.ids.json, the same for queries, and exact_top100.npy. Options are those of Lemur.fit.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Lemur, MaxSim, readNpy } from '../dist/node.js';
import { ndcgAt } from '../dist/search/metrics.js';

const { positionals, values, tokens } = parseArgs({
  allowPositionals: true,
  strict: false,
  tokens: true,
  options: { qrels: { type: 'string' }, json: { type: 'string' }, cone: { type: 'string' } },
});
const [folder] = positionals;
const read = (name) => readNpy(readFileSync(`${folder}/${name}`), name);
const options = {};
for (const token of tokens) {
  if (token.kind !== 'option' || ['qrels', 'json', 'cone'].includes(token.name)) continue;
  options[token.name] = token.value === 'null' ? null : Number.isNaN(Number(token.value)) ? token.value : Number(token.value);
}

const { texts: documents, numbers } = withoutEmpty(load('docs'));
const queries = load('queries');
const ours = new Map(numbers.map((number, i) => [number, i]));
const stored = Array.from(read('exact_top100.npy').data, (number) => ours.get(number) ?? -2);
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
const exact = best.indices;

const rows = [];
for (const k of [50, 100, 200, 400]) {
  t = performance.now();
  const candidates = await lemur.candidates(queries, k);
  const candidatesMs = (performance.now() - t) / count;
  t = performance.now();
  const reranked = await maxSim.rerankSubset(queries, 10, candidates);
  const rerankMs = (performance.now() - t) / count;
  rows.push({ k, recall10: recall(candidates, 10), recall100: recall(candidates, 100), ndcg10: ndcg(reranked), candidatesMs, rerankMs });
}

const machine = `${cpus()[0].model}, ${availableParallelism()} threads, Node ${process.version}`;
const report = {
  machine,
  folder,
  options,
  fitSeconds,
  stages,
  exactMs,
  exactNdcg10: ndcg(best),
  overlapWithStored: storedOverlap(best),
  rows,
};
console.log(
  `${machine}\nfit ${fitSeconds.toFixed(1)} s: ${Object.entries(stages)
    .map(([name, s]) => `${name} ${s.toFixed(1)}`)
    .join(', ')}`,
);
console.log(
  `exact MaxSim ${exactMs.toFixed(2)} ms a query in a batch, nDCG@10 ${report.exactNdcg10?.toFixed(4)}, same top 10 as stored ${report.overlapWithStored.toFixed(4)}`,
);
console.table(
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === undefined ? '' : +value.toFixed(4)]))),
);
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);

function load(name) {
  const { data, shape } = read(`${name}.i8.npy`);
  const vectors = new Float32Array(new SharedArrayBuffer(4 * data.length));
  for (let i = 0; i < data.length; i++) vectors[i] = data[i] / 127;
  if (values.cone) narrow(vectors, shape[1], Number(values.cone));
  return { vectors, counts: read(`${name}.lens.npy`).data, dim: shape[1] };
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

/** Documents without a token are left out; returns the others' numbers in the files. */
function withoutEmpty(texts) {
  const numbers = Array.from(texts.counts.keys()).filter((i) => texts.counts[i] > 0);
  return { texts: { ...texts, counts: Int32Array.from(numbers, (i) => texts.counts[i]) }, numbers };
}

/** Share of the exact top n among the candidates; those as good as the last of them count as well. */
function recall(candidates, n) {
  let hits = 0;
  for (let q = 0; q < count; q++) {
    const found = new Set(candidates.indices.subarray(q * candidates.k, (q + 1) * candidates.k));
    for (let i = 0; i < n; i++) if (found.has(exact[q * 100 + i])) hits++;
  }
  return hits / (count * n);
}

function storedOverlap(top) {
  let hits = 0;
  for (let q = 0; q < count; q++) {
    const ours = new Set(top.indices.subarray(q * 100, q * 100 + 10));
    for (let i = 0; i < 10; i++) if (ours.has(stored[q * 100 + i])) hits++;
  }
  return hits / (count * 10);
}

function ndcg(top) {
  if (!qrels) return undefined;
  const documentIds = JSON.parse(readFileSync(`${folder}/docs.ids.json`, 'utf8')).map(String);
  const queryIds = JSON.parse(readFileSync(`${folder}/queries.ids.json`, 'utf8')).map(String);
  let sum = 0;
  for (let q = 0; q < count; q++) {
    const ranking = [...top.indices.subarray(q * top.k, q * top.k + 10)].map((d) => documentIds[numbers[d]]);
    sum += ndcgAt(ranking, qrels.get(queryIds[q]) ?? new Map(), 10);
  }
  return sum / count;
}

function readQrels(file) {
  const judgements = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [query, document, grade] = line.trim().split('\t');
    if (!/^\d+$/.test(grade ?? '')) continue;
    if (!judgements.has(query)) judgements.set(query, new Map());
    judgements.get(query).set(document, Number(grade));
  }
  return judgements;
}
