// What documents with other norms do to the default search: recall of the exact top 10 among 200
// candidates in a collection of 4,200 documents some of which are scaled, with the features that
// `add` fits by itself, or with trained ones (`fit`), for documents of all norms and for the others
// alone:
//   node bench/outliers.mjs [VECTORS] [--fit] [--precision float32] [--only NAME] [--json FILE]
// VECTORS: see bench/vectors.mjs; its first 4,200 documents, cut to 40 tokens. Without it documents
// are made of random unit vectors.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Index, memoryStorage } from '../dist/entry/node.js';
import { openVectors, randomOf } from './collection.mjs';
import { openPool, synthesizer } from './synthetic.mjs';
import { machine } from './vectors.mjs';

const DOCUMENTS = 4200;
const TOKENS = 40;
const QUERIES = 100;
const K = 10;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    fit: { type: 'boolean', default: false },
    precision: { type: 'string', default: 'int8' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const { documents, queries, dim, from } = load(positionals[0]);

/** One number in [0, 1) for each document. */
const uniform = randomOf(7);
const draws = Array.from({ length: DOCUMENTS }, () => uniform());
/** How many times as long as it was document i is. */
const kinds = {
  'all of unit length': () => 1,
  'one 1,000 times as long': (i) => (i === 1234 ? 1000 : 1),
  'the first one 1,000 times as long': (i) => (i === 0 ? 1000 : 1),
  'one in a hundred 1,000 times as long': (i) => (draws[i] < 0.01 ? 1000 : 1),
  'half 20 times as long': (i) => (draws[i] < 0.5 ? 20 : 1),
  'half a hundredth as long': (i) => (draws[i] < 0.5 ? 0.01 : 1),
  'log-uniform, 0.001 to 1,000': (i) => 10 ** (6 * draws[i] - 3),
  'log-uniform, 0.5 to 2': (i) => 4 ** (draws[i] - 0.5),
  'all 1,000 times as long': () => 1000,
  'all a thousandth as long': () => 0.001,
  'half of them zero': (i) => (draws[i] < 0.5 ? 0 : 1),
  'one of 100,000 tokens': () => 1,
  '20 late ones 1,000 times as long': (i) => (i >= DOCUMENTS - 20 ? 1000 : 1),
  'one token in a thousand 1,000 times as long': () => 1,
};

const rows = [];
for (const [kind, scale] of Object.entries(kinds)) {
  if (values.only && !kind.includes(values.only)) continue;
  const late = kind.includes('late') ? 20 : 0;
  const index = await Index.create(memoryStorage(), { dim, precision: values.precision });
  const changed = documents.map((tokens, i) => {
    if (kind.includes('100,000') && i === 77) return { id: `${i}`, tokens: long(tokens) };
    return {
      id: `${i}`,
      tokens: kind.includes('one token') ? spiked(tokens, i) : scaled(tokens, scale(i)),
    };
  });
  await index.add(changed.slice(0, DOCUMENTS - late));
  if (values.fit) await index.fit();
  if (late) await index.add(changed.slice(DOCUMENTS - late));
  const stats = index.stats();
  const ordinary = new Set(changed.filter((_, i) => scale(i) === 1).map(({ id }) => id));
  const row = { kind, ...(await recallOf(index, queries, ordinary)) };
  for (const factor of [1e-6, 1e6])
    row[`queries x ${factor}`] = (
      await recallOf(
        index,
        queries.slice(0, 20).map((tokens) => scaled(tokens, factor)),
        ordinary,
      )
    ).recall;
  row.due = stats.refit.due;
  rows.push(row);
  console.error(row, stats.refit.why);
  await index.close();
}
console.log(
  `${machine}; ${from}, ${DOCUMENTS} documents, ${QUERIES} queries, ${values.precision}, ` +
    `${values.fit ? 'trained' : 'random'} features`,
);
console.table(rows);
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ machine, from, rows }, null, 2)}\n`);

/**
 * Share of the exact top 10 that a search with 200 candidates finds: of all documents, and, where
 * others are in their way, of the ordinary ones.
 */
async function recallOf(index, asked, ordinary) {
  const width = K + 500;
  const quiet = { include: [] };
  const exact = await index.searchBatch(asked, { ...quiet, k: width, exact: true });
  const found = await index.searchBatch(asked, { ...quiet, k: 200, numCandidates: 200 });
  const share = (keep) => {
    let [hits, of] = [0, 0];
    asked.forEach((_, q) => {
      const best = exact[q].hits.filter(keep).slice(0, K);
      if (best.length === 0) return;
      const least = best.at(-1).score;
      of += best.length;
      hits += Math.min(
        best.length,
        found[q].hits.filter((hit) => keep(hit) && hit.score >= least).length,
      );
    });
    return of > 0 ? +(hits / of).toFixed(4) : null;
  };
  return { recall: share(() => true), 'of ordinary ones': share(({ id }) => ordinary.has(id)) };
}

function scaled({ data, dims }, factor) {
  return { data: data.map((value) => value * factor), dims };
}

/** One token in a thousand is 1,000 times as long. */
function spiked({ data, dims }, i) {
  const own = randomOf(i + 1);
  const out = data.slice();
  for (let row = 0; row < dims[0]; row++)
    if (own() < 0.001) for (let j = 0; j < dims[1]; j++) out[row * dims[1] + j] *= 1000;
  return { data: out, dims };
}

/** 100,000 tokens that are those of one document with a little noise. */
function long({ data, dims: [tokens] }) {
  const own = randomOf(99);
  return {
    data: Float32Array.from(
      { length: 100_000 * dim },
      (_, at) => data[at % (tokens * dim)] + 0.01 * (own() - 0.5),
    ),
    dims: [100_000, dim],
  };
}

function load(folder) {
  const matrix = (data) => ({ data, dims: [data.length / width(), width()] });
  let size = 0;
  const width = () => size;
  if (folder) {
    const opened = openVectors(folder);
    size = opened.documents.dim;
    const all = Array.from({ length: DOCUMENTS }, (_, i) =>
      matrix(opened.documents.vectors(i).slice(0, TOKENS * size)),
    );
    const asked = Array.from({ length: Math.min(QUERIES, opened.queries.size) }, (_, i) =>
      matrix(opened.queries.vectors(i).slice()),
    );
    return { documents: all, queries: asked, dim: size, from: folder };
  }
  const pool = openPool(null);
  const { document, query } = synthesizer(pool, 3);
  return {
    documents: Array.from({ length: DOCUMENTS }, (_, i) => document(i, TOKENS / 2)),
    queries: Array.from({ length: QUERIES }, (_, i) => query(i)),
    dim: pool.dim,
    from: pool.from,
  };
}
