// One side of bench/speed.mjs in one setting of Node: loads the package whose entry it is given,
// and answers one message after the other: { stage, ...what it needs } with { name: numbers }.
//   node speed-child.mjs ENTRY VECTORS MODEL
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { holdsOf } from './thread-holds.mjs';
import { loadVectors, recallOf } from './vectors.mjs';

const [entry, vectors, model] = process.argv.slice(2);
const { Lemur, MaxSim, Index, memoryStorage } = await import(pathToFileURL(entry).href);
const { documents, queries, stored } = loadVectors(vectors);
const DEPTHS = [50, 100, 200];
const BATCH = 64;
/** Documents whose weights and bytes are measured. */
const SAMPLE = 1024;

let lemur;
let exactBest = stored;
const exact = new Map();

const stages = {
  ...{ fit, recall, search, index: collection, batch, exact: allDocuments },
  ...{ callers, holds, weights, bytes },
};

process.on('message', async ({ stage, ...options }) => {
  try {
    process.send({ result: await stages[stage](options) });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });

/** Fits, and leaves the model where the other settings of this side take it from. Seconds. */
async function fit({ options }) {
  const seconds = {};
  let stage = 'prepare';
  const began = performance.now();
  let last = began;
  const step = (next) => {
    const now = performance.now();
    if (next === stage) return;
    seconds[stage] = (seconds[stage] ?? 0) + (now - last) / 1000;
    [stage, last] = [next, now];
  };
  const fitted = await Lemur.fit(documents, { ...options, onProgress: (p) => step(p.stage) });
  step('end');
  seconds.all = (performance.now() - began) / 1000;
  if (!existsSync(model)) await fitted.save(model);
  lemur?.close();
  lemur = fitted;
  return seconds;
}

/** Shares of the exact top 10 of float32 vectors that are among the first k. */
async function recall() {
  await prepare();
  exactBest ??= (await (await documentsAs('float32')).search(queries, 100)).indices;
  const shares = {};
  for (const k of [...DEPTHS, 400]) {
    shares[k] = recallOf(await lemur.candidates(queries, k), exactBest, 10);
  }
  return shares;
}

/** One query after the other, milliseconds of each: features, then features to answer. */
async function search({ precision, count }) {
  await prepare();
  const documents = await documentsAs(precision);
  const asked = single(count);
  const times = { features: [] };
  for (const query of asked.slice(0, 5)) await answer(query, documents, 200);
  for (const query of asked) {
    times.features.push(await timed(() => lemur.computeFeatures(query)));
    for (const k of DEPTHS) {
      times[k] ??= [];
      times[k].push(await timed(() => answer(query, documents, k)));
    }
  }
  return times;
}

/**
 * The same of a collection in a folder, hits without texts, with how long opening it takes, and its
 * first pass over the queries, which reads what no search has read before.
 */
async function collection({ precision, count }) {
  const folder = `${model}-${precision}`;
  if (!existsSync(folder)) await makeCollection(folder, precision);
  const asked = matrices(queries, count);
  const times = { open: [], first: [] };
  let index;
  times.open.push(
    await timed(async () => {
      index = await Index.open(folder);
    }),
  );
  const search = (query, numCandidates) =>
    timed(() => index.search(query, { k: 10, numCandidates, include: [] }));
  for (const query of asked) times.first.push(await search(query, 200));
  for (const query of asked) {
    for (const k of DEPTHS) {
      times[k] ??= [];
      times[k].push(await search(query, k));
    }
  }
  await index.close();
  return times;
}

/** Not measured: each side makes its own, once. */
async function makeCollection(folder, precision) {
  const { dim, counts } = documents;
  const index = await Index.create(folder, { dim, precision, features: 'trained' });
  const some = matrices(documents, counts.length).map((tokens, i) => ({ id: `${i}`, tokens }));
  await index.add(some, { fit: false });
  await index.fit();
  await index.close();
}

/** Batches of 64, milliseconds a query of each batch. */
async function batch({ precision, count }) {
  await prepare();
  const documents = await documentsAs(precision);
  const batches = parts(BATCH, count);
  const times = {};
  await answer(batches[0], documents, 50);
  for (const set of batches) {
    for (const k of DEPTHS) {
      times[k] ??= [];
      times[k].push((await timed(() => answer(set, documents, k))) / set.counts.length);
    }
  }
  return times;
}

/** Exact MaxSim of all documents, one query after the other, milliseconds of each. */
async function allDocuments({ precision, count }) {
  const documents = await documentsAs(precision);
  const times = [];
  for (const query of single(count)) times.push(await timed(() => documents.search(query, 10)));
  return { one: times };
}

/** Queries a second of one caller, of two at the same time, and the second over the first. */
async function callers({ precision, count }) {
  await prepare();
  const documents = await documentsAs(precision);
  const asked = single(count);
  const half = asked.length >> 1;
  const run = async (some) => {
    for (const query of some) await answer(query, documents, 100);
  };
  const rate = async (...callers) =>
    (1000 * asked.length) / (await timed(() => Promise.all(callers.map(run))));
  await run(asked.slice(0, 5));
  const one = await rate(asked);
  const two = await rate(asked.slice(0, half), asked.slice(half));
  return { one, two, ratio: two / one };
}

/**
 * The longest time for which searches, one at a time and in batches, kept this thread from a turn
 * of its event loop, and what it had on the processor meanwhile; milliseconds.
 */
async function holds({ precision, count }) {
  await prepare();
  const documents = await documentsAs(precision);
  const sets = [...single(Math.min(count, 20)), ...parts(BATCH, count)];
  for (const set of sets.slice(0, 5)) await answer(set, documents, 200);
  return holdsOf(async () => {
    for (const set of sets) await answer(set, documents, 200);
  });
}

/** Seconds for the weights of a million documents of 32 tokens, from 1,024 of them. */
async function weights() {
  await prepare();
  const { dim } = documents;
  const size = SAMPLE * 32 * dim;
  const from = Math.min(documents.vectors.length, 4 * size) - size;
  const some = {
    vectors: documents.vectors.subarray(Math.max(0, from)).subarray(0, size),
    counts: new Int32Array(SAMPLE).fill(32),
    dim,
  };
  const few = {
    ...some,
    vectors: some.vectors.subarray(0, 32 * 32 * dim),
    counts: some.counts.subarray(0, 32),
  };
  await lemur.computeWeights(few);
  return { million: ((await timed(() => lemur.computeWeights(some))) * 1000) / SAMPLE };
}

/** Bytes a token vector of a collection with nothing else in it. */
async function bytes({ precision }) {
  const { dim } = documents;
  const index = await Index.create(memoryStorage(), { dim, precision, features: 'exact' });
  const some = matrices(documents, SAMPLE).map((tokens, i) => ({ id: `${i}`, tokens }));
  await index.add(some, { fit: false });
  const { bytes, tokens } = index.stats();
  await index.close();
  return { token: bytes / tokens };
}

async function prepare() {
  lemur ??= await Lemur.load(model);
}

async function documentsAs(precision) {
  if (!exact.has(precision)) exact.set(precision, await MaxSim.create(documents, { precision }));
  return exact.get(precision);
}

async function answer(set, documents, k) {
  // earlier versions take two calls
  if (lemur.search) return lemur.search(set, 10, documents, { numCandidates: k });
  return documents.rerankSubset(set, 10, await lemur.candidates(set, k));
}

async function timed(work) {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** The first texts of a set, as a collection takes them. */
function matrices({ vectors, counts, dim }, most) {
  let row = 0;
  return Array.from(counts.subarray(0, most), (tokens) => {
    const data = vectors.subarray(row * dim, (row + tokens) * dim);
    row += tokens;
    return { data, dims: [tokens, dim] };
  });
}

/** The first queries, each as a set of its own. */
function single(count) {
  return parts(1, count);
}

/** The first queries, so many in a set. */
function parts(size, count) {
  const { vectors, counts, dim } = queries;
  const sets = [];
  let row = 0;
  for (let from = 0; from < Math.min(count, counts.length); from += size) {
    const some = counts.slice(from, Math.min(from + size, count));
    const tokens = some.reduce((sum, n) => sum + n, 0);
    sets.push({ vectors: vectors.slice(row * dim, (row + tokens) * dim), counts: some, dim });
    row += tokens;
  }
  return sets;
}
