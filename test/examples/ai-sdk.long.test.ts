import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MockLanguageModelV3 } from 'ai/test';
import { describe, expect, test, vi } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { plainOrder, plainScores } from '../adapters/plain-ranking.js';
import { wordEncoder } from '../collection/passage-encoder.js';

interface Example {
  answer(model: unknown, index: Index, question: string): Promise<{ text: string; ids: string[] }>;
  best(
    encoder: unknown,
    question: string,
    texts: readonly string[],
    k: number,
  ): Promise<{ score: number; text: string }[]>;
}

const QUESTION = 'where do bees dance?';
const TEXTS = ['Snow is white.', 'Bees dance where flowers are.', 'Statins lower cholesterol.'];

/** The example as it runs with that version of the AI SDK. */
async function exampleWith(version: 'ai' | 'ai7'): Promise<Example> {
  vi.resetModules();
  if (version === 'ai7') vi.doMock('ai', () => import('ai7'));
  // @ts-expect-error: an example, in JavaScript
  return (await import('../../examples/ai-sdk.mjs')) as Example;
}

/** Asks the tool for the question, then repeats the first line of what it was told. */
const model = new MockLanguageModelV3({
  doGenerate: async ({ prompt }) => {
    const told = prompt.find(({ role }) => role === 'tool');
    const [result] = (told?.content ?? []) as { output: { value: string } }[];
    const input = JSON.stringify({ query: QUESTION, k: 1 });
    return {
      content: result
        ? [{ type: 'text', text: result.output.value.split('\n')[0] }]
        : [{ type: 'tool-call', toolCallId: '1', toolName: 'search', input }],
      finishReason: { unified: result ? 'stop' : 'tool-calls', raw: undefined },
      usage: {
        inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 1, text: 1, reasoning: 0 },
      },
      warnings: [],
    };
  },
});

describe.each(['ai', 'ai7'] as const)('with %s', (version) => {
  test('an answer rests on what the tool found, and texts are ranked by MaxSim', async () => {
    const { answer, best } = await exampleWith(version);
    const encoder = wordEncoder();
    await using index = await Index.create(memoryStorage(), { encoder, threads: 1 });
    await index.add(TEXTS.map((text, i) => ({ id: `d${i}`, text })));
    const { text, ids } = await answer(model, index, QUESTION);
    expect(text).toMatch(/^1\. \[d1\] \(similarity/);
    expect(ids).toEqual(['d1']);
    const order = plainOrder(await plainScores(encoder, QUESTION, TEXTS));
    const ranked = await best(encoder, QUESTION, TEXTS, 2);
    expect(ranked.map(({ text }) => text)).toEqual(order.slice(0, 2).map((i) => TEXTS[i]));
  });
});

test('the example runs as it stands', () => {
  const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const given = [at('data/scifact'), 'microglia and Alzheimer disease'];
  const printed = execFileSync(process.execPath, [at('examples/ai-sdk.mjs'), ...given], {
    encoding: 'utf8',
  });
  expect(printed.match(/^\d\. \[\d+\] ".+" \(similarity \d\.\d\d\)$/gm)).toHaveLength(3);
  expect(printed.match(/^\d\.\d\d .+$/gm)).toHaveLength(3);
}, 180_000);
