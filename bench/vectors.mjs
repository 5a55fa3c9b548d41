// Folders of token vectors that the benchmarks read, as `bench/vectorize.mjs` writes them:
// docs.i8.npy (rows x dim, 127 times the value), docs.lens.npy, docs.ids.json, the same for
// queries, and where it is there exact_top100.npy, the documents with the largest MaxSim to each
// query.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { MaxSim, readNpy } from '../dist/entry/node.js';
import { ndcgAt } from '../dist/search/metrics.js';

export const machine =
  `${cpus()[0].model}, ${availableParallelism()} threads, ` + `Node ${process.version}`;

/**
 * Documents without a token are left out; `numbers` are the others' numbers in the files, `stored`
 * the best ones of the files in the new numbers (-2: left out), null where there are none. `change`
 * may alter the vectors in place.
 */
export function loadVectors(folder, change = () => {}) {
  const read = (name) => readNpy(readFileSync(`${folder}/${name}`), name);
  const load = (vectorsName, countsName) => {
    const { data, shape } = read(vectorsName);
    const scale = data instanceof Int8Array ? 1 / 127 : 1;
    const vectors = new Float32Array(new SharedArrayBuffer(4 * data.length));
    for (let i = 0; i < data.length; i++) vectors[i] = data[i] * scale;
    change(vectors, shape[1]);
    return { vectors, counts: read(countsName).data, dim: shape[1] };
  };
  const all = load('docs.i8.npy', 'docs.lens.npy');
  const numbers = Array.from(all.counts.keys()).filter((i) => all.counts[i] > 0);
  const ours = new Map(numbers.map((number, i) => [number, i]));
  const idsOf = (name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')).map(String);
  return {
    documents: { ...all, counts: Int32Array.from(numbers, (i) => all.counts[i]) },
    numbers,
    queries: load('queries.i8.npy', 'queries.lens.npy'),
    stored: existsSync(`${folder}/exact_top100.npy`)
      ? Int32Array.from(read('exact_top100.npy').data, (number) => ours.get(number) ?? -2)
      : null,
    ids: () => idsOf('docs.ids.json'),
    queryIds: () => idsOf('queries.ids.json'),
  };
}

/** The 100 documents with the largest MaxSim to each query. */
export async function exactBest(documents, queries) {
  const exact = await MaxSim.create(documents);
  const { indices } = await exact.search(queries, 100);
  exact.close();
  return indices;
}

/** Share of the first n of each query's `best` (100 a query) that are among its candidates. */
export function recallOf(candidates, best, n) {
  const count = best.length / 100;
  let hits = 0;
  for (let q = 0; q < count; q++) {
    const found = new Set(candidates.indices.subarray(q * candidates.k, (q + 1) * candidates.k));
    for (let i = 0; i < n; i++) if (found.has(best[q * 100 + i])) hits++;
  }
  return hits / (count * n);
}

/**
 * Judgements of a BEIR file (query, document, grade): for each query the grades of its documents.
 */
export function readQrels(file) {
  const judgements = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [query, document, grade] = line.trim().split('\t');
    if (!/^\d+$/.test(grade ?? '')) continue;
    if (!judgements.has(query)) judgements.set(query, new Map());
    judgements.get(query).set(document, Number(grade));
  }
  return judgements;
}

/** Mean nDCG@10 of rankings of at least ten, of what `loadVectors` gave. */
export function ndcgOf({ numbers, ids, queryIds }, qrels, { indices, k }) {
  const [documentIds, questionIds] = [ids(), queryIds()];
  let sum = 0;
  for (const [q, id] of questionIds.entries()) {
    const ranking = [...indices.subarray(q * k, q * k + 10)].map((d) => documentIds[numbers[d]]);
    sum += ndcgAt(ranking, qrels.get(id) ?? new Map(), 10);
  }
  return sum / questionIds.length;
}
