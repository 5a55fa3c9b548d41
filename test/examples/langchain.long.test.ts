import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Runnable } from '@langchain/core/runnables';
import { FakeListChatModel } from '@langchain/core/utils/testing';
import { expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { LemurRetriever } from '../../dist/entry/node-langchain.js';
// @ts-expect-error: an example, in JavaScript
import * as example from '../../examples/langchain.mjs';
import { plainOrder, plainScores } from '../adapters/plain-ranking.js';
import { wordEncoder } from '../collection/passage-encoder.js';

const byWordsThenMaxSim = example.byWordsThenMaxSim as (
  index: Index,
  encoder: unknown,
  k: number,
) => Runnable<string, { id: string }[]>;
const answering = example.answering as (
  retriever: unknown,
  model: unknown,
) => Runnable<string, { content: string }>;

const QUESTION = 'where do bees dance?';
const TEXTS = ['Bees are where snow is not.', 'Bees dance where flowers are.', 'Statins.'];
const encoder = wordEncoder();

test('what has words of the question is ranked by MaxSim, and a chain answers from it', async () => {
  await using index = await Index.create(memoryStorage(), { encoder, threads: 1 });
  await index.add(TEXTS.map((text, i) => ({ id: `d${i}`, text })));
  const found = await byWordsThenMaxSim(index, encoder, 5).invoke(QUESTION);
  const order = plainOrder(await plainScores(encoder, QUESTION, TEXTS.slice(0, 2)));
  expect(found.map(({ id }) => id)).toEqual(order.map((i) => `d${i}`));

  const asked: string[] = [];
  const model = new FakeListChatModel({ responses: ['Where flowers are [d1].'] });
  const { content } = await answering(new LemurRetriever({ index, k: 1 }), model).invoke(QUESTION, {
    callbacks: [
      {
        handleChatModelStart: (_model, [[message]]) => {
          asked.push(String(message.content));
        },
      },
    ],
  });
  expect(content).toBe('Where flowers are [d1].');
  expect(asked[0]).toContain('[d1] Bees dance where flowers are.\n\nQuestion: where do bees');
});

test('the example runs as it stands', () => {
  const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const given = [at('data/scifact'), 'microglia and Alzheimer disease'];
  const printed = execFileSync(process.execPath, [at('examples/langchain.mjs'), ...given], {
    encoding: 'utf8',
  });
  expect(printed.match(/^\d\.\d\d \d+ by MaxSim$/gm)).toHaveLength(3);
  expect(printed.match(/^\d\.\d\d \d+ by words, then by MaxSim$/gm)).toHaveLength(3);
}, 180_000);
