import { expect, test } from 'vitest';
import type { Encoder } from '../../dist/entry/node-encoder.js';
import { wordEncoder } from '../collection/passage-encoder.js';
import { smallServer } from './small-server.js';

const SEARCH = '/collections/papers/search';

/** An encoder whose first question waits, and that tells how many come at once. */
function countingEncoder(): Encoder & { batches: number[]; begun: Promise<void>; go(): void } {
  const words = wordEncoder();
  const batches: number[] = [];
  let [go, begin] = [() => {}, () => {}];
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const encodeQuery: Encoder['encodeQuery'] = async (texts) => {
    batches.push(texts.length);
    begin();
    await gone;
    return words.encodeQuery(texts);
  };
  return { ...words, encodeQuery, batches, begun, go: () => go() };
}

/** Asks while another search has the only place, and lets all go when all wait. */
async function together(
  bodies: readonly object[],
): Promise<{ answers: { status: number; body: unknown }[]; batches: number[]; alone: unknown[] }> {
  const encoder = countingEncoder();
  const { ask, index } = await smallServer({ maxRunning: 1 }, { encoder });
  const first = ask(SEARCH, { json: { query: 'first' } });
  await encoder.begun;
  const asked = bodies.map((json) => ask(SEARCH, { json }));
  const waiting = `lemur_requests_waiting ${bodies.length}\n`;
  while (!(await (await ask('/metrics')).text()).includes(waiting));
  encoder.go();
  expect((await first).status).toBe(200);
  const answers = await Promise.all(
    asked.map(async (one) => ({ status: (await one).status, body: await (await one).json() })),
  );
  const batches = [...encoder.batches];
  const alone: unknown[] = [];
  for (const { query, ...options } of bodies as { query: string }[])
    alone.push(await index.search(query, options).catch(() => undefined));
  return { answers, batches, alone: JSON.parse(JSON.stringify(alone)) };
}

test('searches that wait together share a batch, and have the answers they had alone', async () => {
  const questions = ['where do bees dance?', 'what lowers cholesterol?', 'is snow white?'];
  const { answers, batches, alone } = await together(questions.map((query) => ({ query, k: 2 })));
  expect(batches).toEqual([1, 3]);
  expect(answers.map(({ body }) => body)).toEqual(alone);
});

test('searches that ask for something else have batches of their own', async () => {
  const { answers, batches, alone } = await together([
    { query: 'bees', k: 1 },
    { query: 'snow', k: 2 },
    { query: 'statins', k: 1 },
  ]);
  expect(batches).toEqual([1, 2, 1]);
  expect(answers.map(({ body }) => body)).toEqual(alone);
});

test('one that is wrong does not take the others along', async () => {
  const { answers } = await together([{ query: 'bees' }, { query: ' ' }, { query: 'snow' }]);
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 200]);
});
