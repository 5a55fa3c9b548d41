// A writer that adds, replaces and deletes whole batches, compacts and fits until it is told to
// stop or killed: node writer.mjs FOLDER JOURNAL SEED The journal has a line with each state,
// [batch, version] pairs, before the call that leads to it.
import { fsyncSync, openSync, writeSync } from 'node:fs';
import { Index } from '../../dist/entry/node.js';
import { BATCHES, documentsOf, idsOf, randomOf } from './documents.mjs';

const [folder, journalPath, seed] = process.argv.slice(2);
const random = randomOf(Number(seed));
const journal = openSync(journalPath, 'a');
const calls = { add: 0, replace: 0, delete: 0, compact: 0, fit: 0 };
const state = new Map();
const announce = () => {
  writeSync(journal, `${JSON.stringify([...state])}\n`);
  fsyncSync(journal);
};

let stopped = false;
process.on('message', () => {
  stopped = true;
});
const index = await Index.open(folder, { write: true, threads: 1 });
process.send('open');
let refused;
try {
  for (let version = 1; !stopped; version++) {
    const what = random();
    const batch = Math.floor(random() * BATCHES);
    if (what < 0.01 && index.size > 600) {
      await index.fit({
        olsSampleSize: 128,
        finalHiddenDim: 32,
        prefixDim: 16,
        trainSubsetSize: 32,
        seed: version,
      });
      calls.fit++;
    } else if (what < 0.03) {
      await index.compact();
      calls.compact++;
    } else if (what < 0.25) {
      if (!state.delete(batch)) continue;
      announce();
      // by ids or by a filter, which must come to the same
      if (version % 2) await index.delete(idsOf(batch));
      else await index.delete({ filter: { batch } });
      calls.delete++;
    } else {
      calls[state.has(batch) ? 'replace' : 'add']++;
      state.set(batch, version);
      announce();
      await index.add(documentsOf(batch, version), { onExisting: 'replace' });
    }
  }
} catch (error) {
  // the lock was taken from it, or the folder away
  refused = error.code;
}
await index.close();
process.send(refused ? { refused } : calls);
process.disconnect();
