// A reader that searches while others write, until it is told to stop: node reader.mjs FOLDER
// JOURNAL SEED Each answer is compared with what the documents of its state give by the formula,
// and each state with the writer's journal.
import { readFileSync } from 'node:fs';
import { Index } from '../../dist/entry/node.js';
import { BATCHES, DIM, idsOf, maxSimOf, randomOf, tokensOf } from './documents.mjs';

const [folder, journalPath, seed] = process.argv.slice(2);
const random = randomOf(Number(seed));
const ids = Array.from({ length: BATCHES }, (_, batch) => idsOf(batch)).flat();
const seen = { refreshes: 0, states: 0, exact: 0, features: 0, filtered: 0 };
/** Number of the journal's line that the last state was. */
let line = -1;

let stopped = false;
process.on('message', () => {
  stopped = true;
});
const index = await Index.open(folder, { threads: 1 });
process.send('open');
while (!stopped) {
  seen.refreshes++;
  await index.refresh();
  const state = await stateOf();
  const query = {
    data: Float32Array.from({ length: 4 * DIM }, () => random() - 0.5),
    dims: [4, DIM],
  };
  const expected = [...state].map(([id, version]) => ({
    id,
    score: maxSimOf(query.data, tokensOf(id, version).data),
  }));
  expected.sort((a, b) => b.score - a.score);
  for (let i = 0; i < 4; i++) {
    compare(await index.search(query, { k: 10, exact: true }), expected);
    seen.exact++;
    const found = await index.search(query, { k: 10, numCandidates: 100 });
    if (found.how.method === 'features') {
      // candidates may miss a document, but never give one another score, or one that is not there
      const given = new Set(found.hits.map(({ id }) => id));
      compare(
        found,
        expected.filter(({ id }) => given.has(id)),
      );
      seen.features++;
    } else compare(found, expected);
    const batch = Math.floor(random() * BATCHES);
    compare(
      await index.search(query, { k: 10, filter: { batch } }),
      expected.filter(({ id }) => id.startsWith(`b${batch}-`)),
    );
    seen.filtered++;
  }
}
await index.close();
process.send(seen);
process.disconnect();

/**
 * Version of each document, which must be a state of the journal, and none from before the last
 * one.
 */
async function stateOf() {
  const found = (await index.get(ids)).filter((document) => document !== undefined);
  if (found.length !== index.size)
    throw new Error(`${index.size} documents, found ${found.length}`);
  const versions = new Map(
    found.map(({ id, text, metadata }) => {
      if (text !== `${id} ${metadata.version}`)
        throw new Error(`${id}: text "${text}" with version ${metadata.version}`);
      return [id, metadata.version];
    }),
  );
  const batches = found
    .filter(({ id }) => id.endsWith('-0'))
    .map(({ metadata: { batch, version } }) => [batch, version]);
  for (const [batch, version] of batches)
    for (const id of idsOf(batch))
      if (versions.get(id) !== version)
        throw new Error(`${id}: version ${versions.get(id)}, its batch has ${version}`);
  const key = keyOf(batches);
  const states = readFileSync(journalPath, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((text) => keyOf(JSON.parse(text)));
  const at = states.indexOf(key, Math.max(0, line));
  if (at < 0)
    throw new Error(
      `a state that was not committed, or one before line ${line} of the journal: ${key}`,
    );
  if (at !== line) seen.states++;
  line = at;
  return versions;
}

function keyOf(batches) {
  return JSON.stringify([...batches].sort(([a], [b]) => a - b));
}

function compare({ hits }, expected) {
  if (hits.length !== Math.min(10, expected.length))
    throw new Error(`${hits.length} hits of ${expected.length}`);
  hits.forEach(({ id, score }, i) => {
    if (id !== expected[i].id || Math.abs(score - expected[i].score) > 1e-4)
      throw new Error(`hit ${i}: ${id} ${score}, expected ${expected[i].id} ${expected[i].score}`);
  });
}
