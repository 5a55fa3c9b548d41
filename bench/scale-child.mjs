// One measurement of bench/scale.mjs in a process of its own: node bench/scale-child.mjs FOLDER
// QUERIES search THREADS | verify | write Prints JSON: milliseconds in keys that end in Ms, bytes
// of memory in keys that end in Bytes.
import { readFileSync } from 'node:fs';
import { peakMemory, residentMemory } from './memory.mjs';

const [folder, queriesFile, what, threads] = process.argv.slice(2);
const plain = JSON.parse(readFileSync(queriesFile, 'utf8'));
const matrix = ({ dims, data }) => ({
  dims,
  data: new Float32Array(new Uint8Array(Buffer.from(data, 'base64')).buffer),
});
const queries = plain.queries.map(matrix);
const document = {
  id: `document-${plain.document.n}`,
  tokens: matrix(plain.document),
  metadata: { r: 0.5, group: 'g0' },
};
const began = performance.now();
const { Index } = await import('../dist/entry/node.js');
const out = { importMs: performance.now() - began, beforeOpenBytes: residentMemory() };
let from = performance.now();
const index = await Index.open(folder, {
  write: what === 'write',
  ...(threads ? { threads: Number(threads) } : {}),
});
out.openMs = performance.now() - from;
out.documents = index.size;
out.afterOpenBytes = residentMemory();
await { search, verify, write }[what]();
out.peakBytes = peakMemory();
await index.close();
console.log(JSON.stringify(out));

async function search() {
  out.firstMs = await timed(() => index.search(queries[0]));
  const some = [];
  for (const query of queries.slice(0, 100)) some.push(await timed(() => index.search(query)));
  out.after100Bytes = residentMemory();
  const times = [];
  for (const query of queries.slice(100, 300)) times.push(await timed(() => index.search(query)));
  Object.assign(out, percentiles('single', times));
  out.batchOf100MsAQuery = (await timed(() => index.searchBatch(queries.slice(300, 400)))) / 100;
  const filters = {
    'r < 0.1': { r: { $lt: 0.1 } },
    'r < 0.001': { r: { $lt: 0.001 } },
    'one of 100 groups': { group: 'g7' },
  };
  for (const [name, filter] of Object.entries(filters)) {
    out[`filter ${name}, first, Ms`] = await timed(() => index.search(queries[0], { filter }));
    const filtered = [];
    for (const query of queries.slice(0, 20))
      filtered.push(await timed(() => index.search(query, { filter })));
    Object.assign(out, percentiles(`filter ${name}, `, filtered, [50]));
  }
  out.afterAllBytes = residentMemory();
}

async function verify() {
  let problems = [];
  out.verifyMs = await timed(async () => {
    ({ problems } = await index.verify());
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

async function write() {
  out.deleteMs = await timed(() => index.delete(document.id));
  out.addFirstMs = await timed(() => index.add(document));
  const adds = [];
  const deletes = [];
  for (let i = 0; i < 5; i++) {
    adds.push(await timed(() => index.add({ ...document, id: `one more ${i}` })));
    deletes.push(await timed(() => index.delete(`one more ${i}`)));
  }
  Object.assign(
    out,
    percentiles('add', adds, [50, 100]),
    percentiles('delete', deletes, [50, 100]),
  );
  out.afterAllBytes = residentMemory();
}

async function timed(run) {
  from = performance.now();
  await run();
  return performance.now() - from;
}

function percentiles(name, times, which = [50, 99]) {
  const sorted = [...times].sort((a, b) => a - b);
  return Object.fromEntries(
    which.map((p) => [
      `${name}P${p}Ms`,
      sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)],
    ]),
  );
}
