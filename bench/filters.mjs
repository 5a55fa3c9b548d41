// Recall of the exact top 10 under filters that 50 % to 0.01 % of the documents pass, and what a
// search takes:
//   node bench/filters.mjs VECTORS [--folder DIR] [--queries 300] [--candidates 200] [--json FILE]
// DIR keeps the collection, fitted, for the next run (it may be that of tune.mjs); without it a
// temporary folder. VECTORS: see vectors.mjs. Which documents pass a filter is drawn at random,
// which is as hard as filters get where few pass: those that pass are no likelier to be near each
// other than others.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openFitted, openVectors, recallByScore, shuffled } from './collection.mjs';
import { machine } from './vectors.mjs';

const SHARES = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001, 0.0001];
const K = 10;
/** Queries that are timed one at a time. */
const TIMED = 50;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string' },
    queries: { type: 'string', default: '300' },
    candidates: { type: 'string', default: '200' },
    json: { type: 'string' },
  },
});
const [vectors] = positionals;
const { documents, queries } = openVectors(vectors);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'lemur-filters-'));
const index = await openFitted(folder, documents);
const numbers = shuffled(queries.size, 1).slice(0, Number(values.queries));
const asked = queries.input(numbers);
const single = numbers
  .slice(0, TIMED)
  .map((i) => ({ data: queries.vectors(i), dims: [queries.count(i), queries.dim] }));

const rows = [];
for (const share of SHARES) {
  const options = {
    k: K,
    include: [],
    filter: share === 1 ? undefined : { r: { $lt: share } },
    numCandidates: Number(values.candidates),
  };
  const found = await index.searchBatch(asked, options);
  const exact = await index.searchBatch(asked, { ...options, exact: true });
  const times = [];
  for (const query of single) {
    const from = performance.now();
    await index.search(query, options);
    times.push(performance.now() - from);
  }
  const { method, candidates, passing } = found[0].how;
  rows.push({
    share,
    passing,
    method,
    scored: candidates,
    recall: recallByScore(exact, found),
    medianMs: median(times),
  });
  console.error(JSON.stringify(rows.at(-1)));
}
console.log(
  `${machine}\n${vectors}: ${index.size} documents, ${numbers.length} queries, ` +
    `recall of the exact top ${K}`,
);
console.table(
  rows.map(({ share, recall, medianMs, ...row }) => ({
    passes: `${share * 100} %`,
    ...row,
    recall: +recall.toFixed(4),
    'median ms': +medianMs.toFixed(2),
  })),
);
if (values.json) {
  const report = { machine, vectors, documents: index.size, queries: numbers.length, rows };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
await index.close();
if (!values.folder) rmSync(folder, { recursive: true });

function median(times) {
  return times.sort((a, b) => a - b)[times.length >> 1];
}
