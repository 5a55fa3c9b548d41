// `npm run test:concurrency -- [--seconds 60] [--readers 2] [--seed 1]`: a writer adds, replaces,
// deletes, compacts and fits in one process while others search. Every answer is that of a
// committed state, a second writer is refused with the first one's name, the lock of a writer that
// was killed is taken over, and a writer whose lock or folder was taken away is refused.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Index } from '../dist/entry/node.js';
import { BATCHES, DIM, idsOf, tokensOf } from '../test/concurrency/documents.mjs';

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
await (
  await Index.create(at, { dim: DIM, precision: 'float32', features: 'random', threads: 1 })
).close();

/**
 * A process that has opened the index; `ended` resolves with what it says last and how it ended.
 */
async function start(name, number) {
  const script = fileURLToPath(new URL(`../test/concurrency/${name}.mjs`, import.meta.url));
  const child = fork(script, [at, journal, String(seed + number)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let said;
  child.on('message', (message) => {
    said = message;
  });
  const ended = once(child, 'exit').then(([code, signal]) => ({ name, said, how: signal ?? code }));
  await Promise.race([once(child, 'message'), ended]);
  return { child, ended };
}

const writer = await start('writer', 0);
const readers = await Promise.all(
  Array.from({ length: Number(values.readers) }, (_, i) => start('reader', i + 1)),
);
const others = [writer, ...readers];
const refusal = await Index.open(at, { write: true }).then(
  () => fail('a second writer was let in'),
  (error) => error,
);
if (refusal.code !== 'locked' || !refusal.message.includes(`process ${writer.child.pid} `))
  fail(`a second writer was told: ${refusal}`);
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

// somebody deletes the lock of a writer that lives, and another begins to write
writeFileSync(journal, '[]\n');
const robbed = await start('writer', 100);
unlinkSync(join(at, 'writer.lock'));
let own = 0;
for (let done = false; !done; ) {
  const other = await Index.open(at, { write: true, threads: 1 });
  try {
    await other.add({ id: `own${own}`, text: 'own', tokens: tokensOf(`own${own}`, 1) });
    own++;
    // the first may have committed between this one's opening and its first commit: then this one
    // was refused, and opens it again
    done = await Promise.race([
      robbed.ended.then(() => true),
      new Promise((resolve) => setTimeout(resolve, 20)),
    ]);
  } catch (error) {
    if (error.code !== 'storage-failed') fail(`the second writer was told: ${error.stack}`);
  } finally {
    await other.close();
  }
}
await checkRefused(robbed, at);
console.log('a writer whose lock was deleted was refused, and the other lost nothing');

writeFileSync(journal, '[]\n');
const left = await start('writer', 101);
renameSync(at, `${at}-moved`);
await checkRefused(left, `${at}-moved`);
if (existsSync(at)) fail('the folder that was moved away came back');
console.log('a writer whose folder was moved was refused, and nothing was lost');
rmSync(folder, { recursive: true });

/**
 * That a writer ended by itself, and what it had acknowledged is there: its last line of the
 * journal or the one before it, and what this process added.
 */
async function checkRefused({ ended }, where) {
  const { said, how } = await ended;
  if (how !== 0 || !['locked', 'storage-failed'].includes(said?.refused))
    fail(`the writer ended with ${how}: ${JSON.stringify(said)}`);
  const reader = await Index.open(where, { threads: 1 });
  const { problems } = await reader.verify();
  if (problems.length > 0) fail(problems.join('; '));
  const mine = await reader.get(Array.from({ length: own }, (_, i) => `own${i}`));
  if (mine.includes(undefined)) fail(`document ${mine.indexOf(undefined)} of this process is lost`);
  const heads = (
    await reader.get(Array.from({ length: BATCHES }, (_, batch) => idsOf(batch)[0]))
  ).filter(Boolean);
  const there = new Map(heads.map(({ metadata: { batch, version } }) => [batch, version]));
  const states = readFileSync(journal, 'utf8').trim().split('\n').slice(-2);
  // what the writers before had left is there too
  const fits = states.some((line) =>
    JSON.parse(line).every(([batch, version]) => there.get(batch) === version),
  );
  if (!fits) fail(`what the writer had acknowledged is not there: ${states.at(-2)}`);
  await reader.close();
}

function fail(message) {
  for (const { child } of others) child.kill('SIGKILL');
  console.error(`${message}\n${folder} is kept`);
  process.exit(1);
}
