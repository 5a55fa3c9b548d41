// What rescoring 400 documents instead of 4 k' finds and costs where few candidates are asked for:
//   node bench/rescored.mjs VECTORS [--model FOLDER] [--rounds 6]
// Recall of the exact top 10, and median milliseconds of one query after the other, both ways in
// turns, rounds apart. FOLDER: a saved `Lemur` of these vectors; without one it is fitted.
// VECTORS: see bench/vectors.mjs.
import { parseArgs } from 'node:util';
import { Lemur, MaxSim } from '../dist/entry/node.js';
import { exactBest, loadVectors, machine, recallOf } from './vectors.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string' }, rounds: { type: 'string', default: '6' } },
});
const [folder] = positionals;
const { documents, queries, stored } = loadVectors(folder);
const best = stored ?? (await exactBest(documents, queries));
const lemur = await (values.model ? Lemur.load(values.model) : Lemur.fit(documents));
const tokens = await MaxSim.create(documents, { precision: 'int8' });
const { vectors, dim } = queries;
let row = 0;
const sets = Array.from(queries.counts, (count) => {
  const from = row * dim;
  row += count;
  return { vectors: vectors.slice(from, row * dim), counts: Int32Array.of(count), dim };
});

const table = [];
for (const numCandidates of [20, 50]) {
  const depths = [4 * numCandidates, 400];
  // the first round warms up
  const rounds = [];
  for (let round = 0; round <= Number(values.rounds); round++)
    rounds.push(await medians(numCandidates, depths));
  for (const [i, rescored] of depths.entries()) {
    const found = await lemur.candidates(queries, numCandidates, { rescored });
    const ms = rounds.slice(1).map((both) => both[i]);
    table.push({
      "k'": numCandidates,
      rescored,
      recall: Number(recallOf(found, best, 10).toFixed(4)),
      ms: spread(ms),
      'as many times': spread(ms.map((own, round) => own / rounds[round + 1][0])),
    });
  }
}
console.log(`${machine}\n${folder}: ${sets.length} queries, ${values.rounds} rounds`);
console.table(table);
lemur.close();
tokens.close();

async function medians(numCandidates, depths) {
  const times = depths.map(() => []);
  for (const [i, set] of sets.entries()) {
    for (const side of i % 2 ? [0, 1] : [1, 0]) {
      const began = performance.now();
      await lemur.search(set, 10, tokens, { numCandidates, rescored: depths[side] });
      times[side].push(performance.now() - began);
    }
  }
  return times.map(median);
}

function spread(some) {
  const [least, most] = [Math.min(...some), Math.max(...some)];
  return `${median(some).toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

function median(some) {
  return some.toSorted((a, b) => a - b)[some.length >> 1];
}
