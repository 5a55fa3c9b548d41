// `npm run test:crash -- [--kills 1000] [--seed 1]`: kills a writer again and again (SIGKILL at
// random moments), and each time opens the index, verifies it and compares it with the writer's
// journal: what was acknowledged is there, what was interrupted is there wholly or not at all.
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Index } from '../dist/entry/node.js';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const kills = Number(values.kills);
let state = Number(values.seed) >>> 0;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

const folder = mkdtempSync(join(tmpdir(), 'lemur-crash-'));
const at = join(folder, 'index');
const journal = join(folder, 'journal');
const writer = fileURLToPath(new URL('../test/crash/writer.mjs', import.meta.url));
await (await Index.create(at, { dim: 8, features: 'random', threads: 1 })).close();

/** What must be in the index. */
let known = new Map();
const interrupted = {};

/** The states that the journal allows: without and with the call that was interrupted. */
function follow() {
  const lines = readFileSync(journal, 'utf8').split('\n').filter(Boolean);
  let pending = null;
  for (const line of lines) {
    const entry = JSON.parse(line);
    if (entry !== 'done') pending = entry;
    else {
      known = applied(known, pending);
      pending = null;
    }
  }
  return pending;
}

function applied(before, entry) {
  const after = new Map(before);
  for (const [id, text] of Object.entries(entry.add ?? {})) after.set(id, text);
  for (const id of entry.delete ?? []) after.delete(id);
  return after;
}

const same = (a, b) => a.size === b.size && [...a].every(([id, text]) => b.get(id) === text);

async function check() {
  const index = await Index.open(at, { write: true, threads: 1 });
  try {
    const { problems, files } = await index.verify();
    if (problems.length > 0) throw new Error(problems.join('; '));
    // what was left by halves has been deleted, and nothing is there that a state does not refer to
    const names = readdirSync(at).filter((name) => name !== 'index.json' && name !== 'writer.lock');
    if (names.length !== files)
      throw new Error(`${files} files of the index, found ${names.join(', ')}`);
    const found = await index.get(Array.from({ length: 300 }, (_, i) => `d${i}`));
    const there = new Map(found.filter(Boolean).map(({ id, text }) => [id, text]));
    if (there.size !== index.size) throw new Error(`${index.size} documents, found ${there.size}`);
    const pending = follow();
    const kind = pending === null ? 'nothing' : (pending.keep ?? Object.keys(pending)[0]);
    interrupted[kind] = (interrupted[kind] ?? 0) + 1;
    const after = pending ? applied(known, pending) : known;
    if (same(there, after)) known = after;
    else if (!same(there, known))
      throw new Error(
        `the documents are neither those before nor those after ${JSON.stringify(pending)}`,
      );
    if (index.size > 0) {
      const { hits } = await index.search([Array.from({ length: 8 }, () => random() - 0.5)], {
        k: 5,
      });
      for (const { id, text } of hits)
        if (known.get(id) !== text)
          throw new Error(`search gave ${id}, "${text}", expected "${known.get(id)}"`);
    }
  } finally {
    await index.close();
  }
}

for (let kill = 1; kill <= kills; kill++) {
  writeFileSync(journal, '');
  const child = fork(writer, [at, journal, String(1 + Math.floor(random() * 2 ** 31))], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = new Promise((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  const opened = new Promise((resolve) => child.once('message', resolve));
  await Promise.race([opened, ended]);
  await new Promise((resolve) => setTimeout(resolve, random() * 150));
  child.kill('SIGKILL');
  const how = await ended;
  try {
    if (how !== 'SIGKILL') throw new Error(`the writer ended by itself: ${how}`);
    await check();
  } catch (error) {
    console.error(`kill ${kill}: ${error.stack}\n${folder} is kept`);
    process.exit(1);
  }
  if (kill % 100 === 0 || kill === kills)
    console.log(
      `${kill} kills: ${known.size} documents; interrupted: ${JSON.stringify(interrupted)}`,
    );
}
rmSync(folder, { recursive: true });
