// Folders of token vectors that the benchmarks read: docs.i8.npy (rows x dim, 127 times the value), docs.lens.npy, docs.ids.json, the same for
// queries, and exact_top100.npy, the documents with the largest MaxSim to each query.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { readNpy } from '../dist/node.js';

export const machine = `${cpus()[0].model}, ${availableParallelism()} threads, Node ${process.version}`;

/**
 * Documents without a token are left out; `numbers` are the others' numbers in the files, `exact` the stored best ones in the new numbers
 * (-2: left out). `change` may alter the vectors in place.
 */
export function loadVectors(folder, change = () => {}) {
  const read = (name) => readNpy(readFileSync(`${folder}/${name}`), name);
  const load = (name) => {
    const { data, shape } = read(`${name}.i8.npy`);
    const vectors = new Float32Array(new SharedArrayBuffer(4 * data.length));
    for (let i = 0; i < data.length; i++) vectors[i] = data[i] / 127;
    change(vectors, shape[1]);
    return { vectors, counts: read(`${name}.lens.npy`).data, dim: shape[1] };
  };
  const all = load('docs');
  const numbers = Array.from(all.counts.keys()).filter((i) => all.counts[i] > 0);
  const ours = new Map(numbers.map((number, i) => [number, i]));
  return {
    documents: { ...all, counts: Int32Array.from(numbers, (i) => all.counts[i]) },
    numbers,
    queries: load('queries'),
    exact: Int32Array.from(read('exact_top100.npy').data, (number) => ours.get(number) ?? -2),
  };
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
