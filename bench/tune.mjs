// What `Index.tune` promises and what searches reach: tuned with queries drawn from the collection
// and with given ones, recall of the exact top 10 of other queries at targets 0.9, 0.95 and 0.99,
// with the number of candidates chosen and the number that would have been enough:
//   node bench/tune.mjs VECTORS [--folder DIR] [--texts BEIR] [--given 200] [--unseen 300]
//     [--seeds 3] [--json FILE]
// BEIR has the documents' texts: features are then learned from texts read as queries, and queries
// are drawn so. DIR keeps the collection, fitted, for the next run; without it a temporary folder.
// Given queries are train queries where the folder has some, else some of the queries (half of
// few). VECTORS: see vectors.mjs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openFitted, openTexts, openVectors, recallByScore, shuffled } from './collection.mjs';
import { machine } from './vectors.mjs';

const TARGETS = [0.9, 0.95, 0.99];
const K = 10;
const GRID = [10, 15, 20, 30, 50, 70, 100, 140, 200, 280, 400, 560, 800, 1130, 1600, 2260, 3200];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string' },
    texts: { type: 'string' },
    given: { type: 'string', default: '200' },
    unseen: { type: 'string', default: '300' },
    seeds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const [vectors] = positionals;
const { documents, queries, train } = openVectors(vectors);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'lemur-tune-'));
const read = values.texts ? await openTexts(values.texts, vectors) : {};
const index = await openFitted(folder, documents, read);

const order = shuffled(queries.size, 1);
const unseenCount = Math.min(
  Number(values.unseen),
  train ? queries.size : Math.ceil(queries.size / 2),
);
const unseen = queries.input(order.slice(0, unseenCount));
const givenCount = Number(values.given);
const given = train
  ? train.input(shuffled(train.size, 2).slice(0, givenCount))
  : queries.input(order.slice(unseenCount, unseenCount + givenCount));

const quiet = { k: K, include: [] };
const exact = await index.searchBatch(unseen, { ...quiet, exact: true });
const curve = [];
for (const numCandidates of GRID.filter((n) => n < documents.size / 2))
  curve.push({
    numCandidates,
    recall: recallByScore(exact, await index.searchBatch(unseen, { ...quiet, numCandidates })),
  });

const rows = [];
const sources = [
  ...Array.from({ length: Number(values.seeds) }, (_, seed) => ({
    source: 'drawn',
    options: { seed },
  })),
  { source: 'given', options: { queries: given, sample: givenCount } },
];
for (const { source, options } of sources) {
  const { points, queries: asked } = await index.tune({ k: K, ...options });
  for (const recall of TARGETS) {
    const found = await index.searchBatch(unseen, { ...quiet, recall });
    const reached = recallByScore(exact, found);
    const { method, candidates } = found[0].how;
    rows.push({
      source: source === 'drawn' ? `drawn, seed ${options.seed}` : source,
      queries: asked,
      target: recall,
      "k' chosen": candidates,
      "k' needed": needed(recall),
      reached: +reached.toFixed(4),
      held: reached >= recall - 0.01,
      method,
      points: undefined,
    });
  }
  const shown = points.map(
    ([n, recall, error]) => `${n}: ${recall.toFixed(4)} (${error.toFixed(4)})`,
  );
  console.log(`${source}: ${shown.join(', ')}`);
}

console.log(`${machine}\n${vectors}: ${index.size} documents, ${unseenCount} unseen queries`);
console.table(
  curve.map(({ numCandidates, recall }) => ({ "k'": numCandidates, recall: +recall.toFixed(4) })),
);
console.table(rows.map(({ points, ...row }) => row));
if (values.json)
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine, vectors, documents: index.size, curve, rows }, null, 2)}\n`,
  );
await index.close();
await read.encoder?.close();
if (!values.folder) rmSync(folder, { recursive: true });

/**
 * The fewest candidates that would have reached a recall, between two measured numbers linearly in
 * their logarithm.
 */
function needed(target) {
  const at = curve.findIndex(({ recall }) => recall >= target);
  if (at < 0) return `> ${curve.at(-1).numCandidates}`;
  if (at === 0) return curve[0].numCandidates;
  const [before, after] = [curve[at - 1], curve[at]];
  const share = (target - before.recall) / (after.recall - before.recall);
  return Math.ceil(before.numCandidates * (after.numCandidates / before.numCandidates) ** share);
}
