import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';

const root = await mkdtemp(join(tmpdir(), 'lemur-lock-'));
const SCRIPT = fileURLToPath(new URL('lock-process.mjs', import.meta.url));
const children = new Set<ChildProcess>();

afterAll(async () => {
  for (const child of [...children]) await kill(child);
  await rm(root, { recursive: true });
});

async function start(path: string, links: string): Promise<ChildProcess> {
  const child = fork(SCRIPT, [path, links]);
  children.add(child);
  expect((await once(child, 'message'))[0]).toBe('ready');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

interface Answer {
  child: ChildProcess;
  got: boolean;
  code?: string;
  message?: string;
}

/** What a process says of its attempt; undefined when it was killed first. */
async function take(child: ChildProcess, moment: number): Promise<Answer | undefined> {
  const ended = new AbortController();
  const answer = once(child, 'message', { signal: ended.signal });
  const exited = (): unknown => setImmediate(() => ended.abort());
  child.once('exit', exited);
  child.send({ take: moment });
  const [said] = await answer.catch(() => []);
  child.off('exit', exited);
  return said && { child, ...said };
}

const all = async (tried: ChildProcess[], moment = Date.now() + 20): Promise<Answer[]> =>
  (await Promise.all(tried.map((child) => take(child, moment)))).filter(
    (answer) => answer !== undefined,
  );

// starting so many processes takes its time on a busy machine
vi.setConfig({ testTimeout: 240_000 });

describe.each(['links', 'no-links'])('with %s', (links) => {
  test('of eight processes that find the holder killed one gets the lock, and the others name it', async () => {
    const path = join(root, `killed-${links}`);
    const others = await Promise.all(Array.from({ length: 8 }, () => start(path, links)));
    let holder = await start(path, links);
    expect(await take(holder, 0)).toMatchObject({ got: true });
    for (let round = 0; round < 20; round++) {
      await kill(holder);
      const answers = await all(others);
      const winners = answers.filter(({ got }) => got);
      expect(answers.length).toBe(8);
      expect(winners.length).toBe(1);
      const name = `process ${winners[0].child.pid} on ${hostname()} since `;
      for (const { got, code, message } of answers) {
        if (!got)
          expect({ code, message }).toEqual({
            code: 'locked',
            message: expect.stringContaining(`${path}: locked by ${name}`),
          });
      }
      holder = winners[0].child;
      others.splice(others.indexOf(holder), 1, await start(path, links));
    }
    holder.send('release');
    await once(holder, 'message');
    // neither the lock nor what taking it needs
    expect((await readdir(root)).filter((name) => name.startsWith(`killed-${links}`))).toEqual([]);
  });
});

test('processes that are killed while they take it over never leave it to two, or to none', async () => {
  const path = join(root, 'torn');
  const links = 'links';
  let living: ChildProcess[] = [];
  let holder: ChildProcess | undefined;
  for (let round = 0; round < 10; round++) {
    while (living.length < 4) living.push(await start(path, links));
    if (holder) await kill(holder);
    const moment = Date.now() + 20;
    const answering = all(living, moment);
    // within the few milliseconds that it takes
    await new Promise((resolve) => setTimeout(resolve, moment - Date.now() + (round % 7) * 0.7));
    const killed = living.slice(0, 2);
    await Promise.all(killed.map(kill));
    living = living.slice(2);
    const winners = (await answering).filter(({ got, child }) => got && living.includes(child));
    expect(winners.length).toBeLessThanOrEqual(1);
    // all the others are gone
    const later = (await all(living)).filter(({ got }) => got);
    expect(winners.length + later.length).toBe(1);
    holder = [...winners, ...later][0].child;
    living.splice(living.indexOf(holder), 1);
  }
});

/** What a process says next after it was sent something. */
async function ask(child: ChildProcess, message: string | { take: number }): Promise<unknown> {
  const answer = once(child, 'message');
  child.send(message);
  return (await answer)[0];
}

/** A lock whose holder is dead. */
async function deadLock(path: string): Promise<void> {
  const holder = await start(path, 'links');
  expect(await ask(holder, { take: 0 })).toEqual({ got: true });
  await kill(holder);
}

test('who comes to its marker after another took the lock over turns back', async () => {
  const path = join(root, 'late');
  await deadLock(path);
  const [late, quick] = [await start(path, 'pauses'), await start(path, 'links')];
  expect(await ask(late, { take: 0 })).toBe('marker');
  expect(await ask(quick, { take: 0 })).toEqual({ got: true });
  const message = expect.stringContaining(`locked by process ${quick.pid} `);
  expect(await ask(late, 'go on')).toEqual({ got: false, code: 'locked', message });
  expect(await ask(quick, 'release')).toBe('released');
  expect((await readdir(root)).filter((name) => name.startsWith('late'))).toEqual([]);
});

test('who is about to take it over bars the others, until it is dead', async () => {
  const path = join(root, 'barred');
  await deadLock(path);
  const [slow, other] = [await start(path, 'pauses'), await start(path, 'links')];
  expect(await ask(slow, { take: 0 })).toBe('marker');
  expect(await ask(slow, 'go on')).toBe('rename');
  const message = expect.stringContaining(`locked by process ${slow.pid} `);
  expect(await ask(other, { take: 0 })).toEqual({ got: false, code: 'locked', message });
  await kill(slow);
  expect(await ask(other, { take: 0 })).toEqual({ got: true });
  expect(await ask(other, 'release')).toBe('released');
  expect((await readdir(root)).filter((name) => name.startsWith('barred'))).toEqual([]);
});
