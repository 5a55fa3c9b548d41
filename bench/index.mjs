// What storing vectors in fewer bytes costs: collections with exact search of float32, int8, and
// int8 with token vectors merged by 2 and 3; recall of the top 10 of float32, nDCG@10, bytes on
// disk:
//   node bench/index.mjs VECTORS [--qrels FILE] [--queries N] [--json FILE]
// N: the first so many queries (default all). VECTORS: see vectors.mjs.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ndcgAt } from '../dist/search/metrics.js';
import { openOrBuild, openVectors } from './collection.mjs';
import { machine, readQrels } from './vectors.mjs';

const K = 10;
/** Hits of float32 that are kept, so that documents which score as its tenth can be told. */
const KEPT = 100;
const VARIANTS = [
  { precision: 'float32', pooling: 1 },
  { precision: 'int8', pooling: 1 },
  { precision: 'int8', pooling: 2 },
  { precision: 'int8', pooling: 3 },
];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { qrels: { type: 'string' }, queries: { type: 'string' }, json: { type: 'string' } },
});
const [vectors] = positionals;
const { documents, queries } = openVectors(vectors);
const qrels = values.qrels && readQrels(values.qrels);
const count = Math.min(queries.size, Number(values.queries ?? queries.size));
const numbers = Array.from({ length: count }, (_, i) => i);
const asked = queries.input(numbers);

let float32;
const rows = [];
for (const variant of VARIANTS) {
  const folder = mkdtempSync(join(tmpdir(), 'lemur-index-bench-'));
  try {
    const index = await openOrBuild(folder, documents, { ...variant, features: 'exact' });
    const found = await index.searchBatch(asked, { k: KEPT, include: [] });
    await index.close();
    float32 ??= found;
    rows.push({
      ...variant,
      recall10: recall(found),
      ndcg10: qrels && ndcg(found),
      bytes: bytesOf(folder),
    });
    console.error(JSON.stringify(rows.at(-1)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
console.log(`${machine}\n${vectors}: ${documents.size} documents, ${count} queries`);
console.table(
  rows.map(({ precision, pooling, recall10, ndcg10, bytes }) => ({
    precision,
    pooling,
    'recall of the top 10': +recall10.toFixed(4),
    'nDCG@10': ndcg10 === undefined ? '-' : +ndcg10.toFixed(4),
    MB: +(bytes / 1e6).toFixed(1),
    'of float32': +(bytes / rows[0].bytes).toFixed(3),
  })),
);
if (values.json) {
  const report = { machine, vectors, documents: documents.size, queries: count, rows };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

/**
 * Share of the best ten of float32 among those found; documents that score as its tenth, by
 * float32, are as good as it.
 */
function recall(found) {
  let sum = 0;
  found.forEach(({ hits }, q) => {
    const best = float32[q].hits;
    const wanted = Math.min(K, best.length);
    const good = new Set(
      best.filter(({ score }) => score >= best[wanted - 1].score).map(({ id }) => id),
    );
    sum += Math.min(wanted, hits.slice(0, K).filter(({ id }) => good.has(id)).length) / wanted;
  });
  return sum / count;
}

function ndcg(found) {
  const each = found.map(({ hits }, q) =>
    ndcgAt(
      hits.slice(0, K).map(({ id }) => id),
      qrels.get(queries.id(q)) ?? new Map(),
      K,
    ),
  );
  return each.reduce((sum, value) => sum + value, 0) / count;
}

function bytesOf(folder) {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
