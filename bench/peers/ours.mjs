// Lemur as the others are measured: node ours.mjs WORK THREADS SETTINGS, the files of WORK as in
// peer.py. SETTINGS: {"features": "trained" | "random" | "exact", "precision": "int8"}. A
// collection in a folder is made, added to and fitted, and searched one query at a time. It takes
// the threads that the process has.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { Index } from '../../dist/entry/node.js';

const [work, , settings] = process.argv.slice(2);
const { features, precision } = JSON.parse(settings);
const WARM = 5;

/** A file's values, in an array that has its memory for itself. */
function read(name, Type) {
  const bytes = readFileSync(`${work}/${name}`);
  return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

function texts(rows, lens, dim) {
  const vectors = read(rows, Float32Array);
  let at = 0;
  return Array.from(read(lens, Int32Array), (count) => {
    const data = vectors.subarray(at * dim, (at + count) * dim);
    at += count;
    return { data, dims: [count, dim] };
  });
}

const { dim } = JSON.parse(readFileSync(`${work}/shape.json`, 'utf8'));
const documents = texts('docs.f32', 'lens.i32', dim);
const queries = texts('queries.f32', 'qlens.i32', dim);
const folder = `${work}/index`;

const began = performance.now();
const index = await Index.create(folder, { dim, precision, features });
await index.add(
  documents.map((tokens, i) => ({ id: `${i}`, tokens })),
  { fit: false },
);
if (features !== 'exact') await index.fit();
const buildSeconds = (performance.now() - began) / 1000;

const rows = [];
for (const numCandidates of features === 'exact' ? [undefined] : [50, 100, 200, 400]) {
  const options = {
    k: 10,
    include: [],
    ...(numCandidates ? { numCandidates } : { exact: true }),
  };
  for (const query of queries.slice(0, WARM)) await index.search(query, options);
  const [ms, ids] = [[], []];
  for (const query of queries) {
    const start = performance.now();
    const { hits } = await index.search(query, options);
    ms.push(performance.now() - start);
    ids.push(hits.map(({ id }) => Number(id)));
  }
  rows.push({ knob: numCandidates ? { candidates: numCandidates } : {}, ms, ids });
}
await index.close();
const bytes = readdirSync(folder).reduce(
  (sum, name) => sum + statSync(`${folder}/${name}`).size,
  0,
);
writeFileSync(`${work}/result.json`, JSON.stringify({ buildSeconds, bytes, rows }));
