// Many adds of one document each, each a commit of its own, and the compaction after:
//   node bench/single-adds.mjs VECTORS [--adds 10000] [--folder DIR] [--json FILE]
// With `features: 'auto'`, so that random features are fitted on the way, at 4,096 documents.
// VECTORS: see vectors.mjs; documents come again under other ids where there are too few of them.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Index } from '../dist/entry/node.js';
import { openVectors } from './collection.mjs';
import { peakMemory } from './memory.mjs';
import { machine } from './vectors.mjs';

/** Adds of a row of the table. */
const EACH = 1000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    adds: { type: 'string', default: '10000' },
    folder: { type: 'string' },
    json: { type: 'string' },
  },
});
const [vectors] = positionals;
const { documents, queries } = openVectors(vectors);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'lemur-single-'));
const index = await Index.create(folder, { dim: documents.dim });
const rows = [];
let times = [];
const began = performance.now();
for (let n = 0; n < Number(values.adds); n++) {
  const i = n % documents.size;
  const document = {
    id: `${documents.id(i)}-${n}`,
    tokens: { data: documents.vectors(i), dims: [documents.count(i), documents.dim] },
  };
  const from = performance.now();
  await index.add(document);
  times.push(performance.now() - from);
  if (times.length === EACH || n + 1 === Number(values.adds)) {
    times.sort((a, b) => a - b);
    const at = (share) =>
      +times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(1);
    rows.push({
      documents: n + 1,
      ...state(),
      'median ms': at(0.5),
      'p99 ms': at(0.99),
      'largest ms': at(1),
    });
    console.error(JSON.stringify(rows.at(-1)));
    times = [];
  }
}
const seconds = (performance.now() - began) / 1000;
const searched = await timeSearches();
const from = performance.now();
await index.compact();
const compacted = {
  seconds: (performance.now() - from) / 1000,
  ...state(),
  searchMs: await timeSearches(),
};
const { problems } = await index.verify();
if (problems.length > 0) throw new Error(problems.join('\n'));
const peak = peakMemory();
await index.close();
const files = readdirSync(folder).length;

console.log(
  `${machine}\n${vectors}: ${rows.at(-1).documents} adds of one document in ` +
    `${seconds.toFixed(0)} s, peak memory ${(peak / 1e6).toFixed(0)} MB`,
);
console.table(rows);
console.log(
  `search ${searched.toFixed(1)} ms (median), compaction ${compacted.seconds.toFixed(1)} s, ` +
    `after it ${compacted.segments} segments in ${files} files, ` +
    `${compacted.MB} MB, search ${compacted.searchMs.toFixed(1)} ms`,
);
if (values.json) {
  const report = { machine, vectors, seconds, peak, rows, searched, compacted, files };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
if (!values.folder) rmSync(folder, { recursive: true });

function state() {
  const { segments, bytes, features } = index.stats();
  return { segments, MB: +(bytes / 1e6).toFixed(1), features };
}

async function timeSearches() {
  const found = [];
  for (let i = 0; i < Math.min(50, queries.size); i++) {
    const query = { data: queries.vectors(i), dims: [queries.count(i), queries.dim] };
    const start = performance.now();
    await index.search(query, { include: [] });
    found.push(performance.now() - start);
  }
  return found.sort((a, b) => a - b)[found.length >> 1];
}
