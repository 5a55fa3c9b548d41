// What token encodings keep and cost on a folder of token vectors: bytes a token, how much of
// float32's top 10 is among the top 10 and 20 of each, nDCG@10, milliseconds a query: exact over
// all documents and reranking 200 (the best by float32), one at a time, and reranking 64 queries
// at once. All take turns in one process, in every round; times are the medians of the rounds:
//   node bench/precision.mjs VECTORS [--qrels FILE] [--json FILE] [--rounds N] [--threads N]
// VECTORS: see bench/vectors.mjs.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MaxSim } from '../dist/entry/node.js';
import { ndcgAt } from '../dist/search/metrics.js';
import { encodings } from '../dist/tokens/encodings.js';
import { loadVectors, machine, readQrels } from './vectors.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    qrels: { type: 'string' },
    json: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
  },
});
const { documents, numbers, queries, ids, queryIds } = loadVectors(positionals[0]);
const { dim } = documents;
const count = queries.counts.length;
const qrels = values.qrels && readQrels(values.qrels);
const [documentIds, ownQueryIds] = qrels ? [ids(), queryIds()] : [[], []];

/** Queries timed one at a time in a round, and at once. */
const [ALONE, AT_ONCE] = [40, 64];
const starts = [0];
for (const n of queries.counts) starts.push(starts.at(-1) + n);
const part = (from, to) => ({
  vectors: queries.vectors.slice(starts[from] * dim, starts[to] * dim),
  counts: queries.counts.slice(from, to),
  dim,
});

const sides = [];
for (const precision of encodings.keys()) {
  const started = performance.now();
  const options = values.threads ? { threads: Number(values.threads) } : {};
  const maxSim = await MaxSim.create(documents, { precision, ...options });
  const created = performance.now() - started;
  const top = await maxSim.search(queries, 200);
  sides.push({ precision, maxSim, created, top, times: { rerank: [], exact: [], batch: [] } });
}
const [{ top: exact }] = sides;
const listOf = (q) => exact.indices.slice(q * 200, (q + 1) * 200);

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const timed = async (call) => {
  const started = performance.now();
  await call();
  return performance.now() - started;
};
const atOnce = Math.min(AT_ONCE, count);
const batch = part(0, atOnce);
const lists = Array.from({ length: atOnce }, (_, q) => listOf(q));
for (let round = 0; round <= Number(values.rounds); round++) {
  const first = (round * ALONE) % Math.max(1, count - ALONE + 1);
  for (const { maxSim, times } of sides) {
    const alone = [];
    for (let q = first; q < Math.min(first + ALONE, count); q++)
      alone.push(await timed(() => maxSim.rerankSubset(part(q, q + 1), 10, [listOf(q)])));
    const all = [];
    for (let q = first; q < Math.min(first + 5, count); q++)
      all.push(await timed(() => maxSim.search(part(q, q + 1), 10)));
    const together = await timed(() => maxSim.rerankSubset(batch, 10, lists));
    // the first round warms up
    if (round === 0) continue;
    times.rerank.push(median(alone));
    times.exact.push(median(all));
    times.batch.push(together / atOnce);
  }
}

const rows = sides.map(({ precision, created, top, times }) => {
  const shareOf = (n) => {
    let found = 0;
    for (let q = 0; q < count; q++) {
      const own = new Set(top.indices.subarray(q * 200, q * 200 + n));
      for (let i = 0; i < 10; i++) if (own.has(exact.indices[q * 200 + i])) found++;
    }
    return found / (10 * count);
  };
  const gains = ownQueryIds.map((id, q) => {
    const ranking = Array.from(
      top.indices.subarray(q * 200, q * 200 + 10),
      (d) => documentIds[numbers[d]],
    );
    return ndcgAt(ranking, qrels.get(id) ?? new Map(), 10);
  });
  return {
    precision,
    bytesAToken: encodings.get(precision).rowBytes(dim),
    recallAt10: shareOf(10),
    recallAt20: shareOf(20),
    ndcgAt10: qrels ? gains.reduce((sum, gain) => sum + gain, 0) / count : null,
    createMs: created,
    rerankMs: median(times.rerank),
    exactMs: median(times.exact),
    batchMs: median(times.batch),
    spread: Object.fromEntries(
      Object.entries(times).map(([what, list]) => [what, [Math.min(...list), Math.max(...list)]]),
    ),
  };
});
console.log(machine);
console.table(
  rows.map(({ spread: _, ...row }) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'number' ? Number(value.toFixed(4)) : value,
      ]),
    ),
  ),
);
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ machine, ...values, rows }, null, 1)}\n`);
for (const { maxSim } of sides) maxSim.close();
process.exit();
