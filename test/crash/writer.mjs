// A writer that changes an index without end, until it is killed: what it is about to do and what
// has been done goes into a journal, a line each.
import { fsyncSync, openSync, writeSync } from 'node:fs';
import { Index } from '../../dist/entry/node.js';

const [folder, journalPath, seed] = process.argv.slice(2);
const DIM = 8;
let state = Number(seed) >>> 0;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const below = (n) => Math.floor(random() * n);

const journal = openSync(journalPath, 'a');
const note = (entry) => {
  writeSync(journal, `${JSON.stringify(entry)}\n`);
  fsyncSync(journal);
};
const documentOf = (id) => ({
  id,
  text: `${id} ${state}`,
  tokens: { data: Float32Array.from({ length: 3 * DIM }, () => random() - 0.5), dims: [3, DIM] },
  metadata: { group: below(4) },
});
const ids = (n) => Array.from({ length: n }, () => `d${below(300)}`);

const index = await Index.open(folder, { write: true, threads: 1 });
process.send?.('open');
for (;;) {
  const what = below(100);
  if (what < 60) {
    const documents = [...new Set(ids(what < 40 ? 1 : 1 + below(20)))].map(documentOf);
    note({ add: Object.fromEntries(documents.map(({ id, text }) => [id, text])) });
    await index.add(documents, { onExisting: 'replace' });
  } else if (what < 85) {
    const some = ids(1 + below(5));
    note({ delete: some });
    await index.delete(some);
  } else if (what < 93) {
    note({ keep: 'compact' });
    await index.compact();
  } else if (index.size > 40) {
    note({ keep: 'fit' });
    await index.fit({
      olsSampleSize: 64,
      finalHiddenDim: 16,
      prefixDim: 8,
      trainSubsetSize: 16,
      seed: below(100),
    });
  } else continue;
  note('done');
}
