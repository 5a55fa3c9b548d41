// `npm run test:concurrency -- [--seconds 60] [--readers 2] [--seed 1]`: a writer adds, replaces, deletes, compacts and fits in one process while others search. Every
// answer is that of a committed state, a second writer is refused with the first one's name, and the lock of a writer that was killed is taken over.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Index } from '../dist/node.js';
import { DIM } from '../test/concurrency/documents.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    readers: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const folder = mkdtempSync(join(tmpdir(), 'lemur-concurrency-'));
const [at, journal] = [join(folder, 'index'), join(folder, 'journal')];
writeFileSync(journal, '[]\n');
await (await Index.create(at, { dim: DIM, precision: 'float32', features: 'random', threads: 1 })).close();

/** A process that has opened the index; `ended` resolves with what it says last and how it ended. */
async function start(name, number) {
  const script = fileURLToPath(new URL(`../test/concurrency/${name}.mjs`, import.meta.url));
  const child = fork(script, [at, journal, String(seed + number)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  let said;
  child.on('message', (message) => {
    said = message;
  });
  const ended = once(child, 'exit').then(([code, signal]) => ({ name, said, how: signal ?? code }));
  await Promise.race([once(child, 'message'), ended]);
  return { child, ended };
}

const writer = await start('writer', 0);
const readers = await Promise.all(Array.from({ length: Number(values.readers) }, (_, i) => start('reader', i + 1)));
const others = [writer, ...readers];
const refusal = await Index.open(at, { write: true }).then(
  () => fail('a second writer was let in'),
  (error) => error,
);
if (refusal.code !== 'locked' || !refusal.message.includes(`process ${writer.child.pid} `)) fail(`a second writer was told: ${refusal}`);
console.log(`a second writer: ${refusal.message.replace(folder, '')}`);

const early = await Promise.race([
  ...others.map(({ ended }) => ended),
  new Promise((resolve) => setTimeout(resolve, 1000 * Number(values.seconds))),
]);
if (early) fail(`${early.name} ended early: ${early.how}`);
for (const { child } of others) child.send('stop');
for (const { ended } of others) {
  const { name, said, how } = await ended;
  if (how !== 0) fail(`${name} ended with ${how}`);
  console.log(`${name}: ${JSON.stringify(said)}`);
}

const killed = await start('writer', 99);
killed.child.kill('SIGKILL');
await killed.ended;
const index = await Index.open(at, { write: true, threads: 1 });
const { problems } = await index.verify();
if (problems.length > 0) fail(problems.join('; '));
console.log(`a killed writer's lock was taken over; ${index.size} documents, verified`);
await index.close();
rmSync(folder, { recursive: true });

function fail(message) {
  for (const { child } of others) child.kill('SIGKILL');
  console.error(`${message}\n${folder} is kept`);
  process.exit(1);
}
