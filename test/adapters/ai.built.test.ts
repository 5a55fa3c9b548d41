import * as six from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import * as seven from 'ai7';
import { MockLanguageModelV4 } from 'ai7/test';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import {
  type FoundText,
  type RerankingCall,
  type RerankingModel,
  type RerankingWarning,
  rerankingModel,
  searchTool,
} from '../../dist/entry/node-ai.js';
import { sentencesOf, wordEncoder } from '../collection/passage-encoder.js';
import { plainOrder, plainScores } from './plain-ranking.js';

const encoder = wordEncoder();
const TEXTS = [
  'Snow is white and cold.',
  'Bees dance to tell where flowers are.',
  'Cholesterol is lowered by statins.',
  'Where do bees find flowers in the snow?',
];
const QUERY = 'where do bees dance?';

/** What is printed of warnings, in place of the console. */
const warned: RerankingWarning[] = [];
vi.stubGlobal('AI_SDK_LOG_WARNINGS', ({ warnings }: { warnings: RerankingWarning[] }) =>
  warned.push(...warnings),
);
afterAll(() => vi.unstubAllGlobals());

const index = await Index.create(memoryStorage(), {
  encoder,
  threads: 1,
  passages: { size: 20, overlap: 0 },
});
afterAll(() => index.close());
await index.add([
  { id: 'bees', text: sentencesOf('bee', 40), metadata: { year: 1967, title: 'On bees' } },
  { id: 'ants', text: sentencesOf('ant', 10), metadata: { year: 2011 } },
  { id: 'more', text: 'Where the bee is, the number is bee3.', metadata: { year: 2020 } },
]);

/** What is asked of both, which have types of their own. */
interface Call {
  model: RerankingModel;
  documents: (string | { [name: string]: string | number | (null | boolean)[] })[];
  query: string;
  topN?: number;
  abortSignal?: AbortSignal;
  headers?: Record<string, string>;
  providerOptions?: Record<string, { [name: string]: boolean | number }>;
}

describe.each([
  ['ai 6', (call: Call) => six.rerank(call)],
  ['ai 7', (call: Call) => seven.rerank(call)],
])('rerank of %s', (_name, rerank) => {
  const model = rerankingModel(encoder);

  test('ranks texts as exact MaxSim does, with its scores', async () => {
    const expected = await plainScores(encoder, QUERY, TEXTS);
    const { ranking, rerankedDocuments } = await rerank({ model, documents: TEXTS, query: QUERY });
    expect(ranking.map(({ originalIndex }) => originalIndex)).toEqual(plainOrder(expected));
    for (const { originalIndex, score } of ranking)
      expect(score).toBeCloseTo(expected[originalIndex], 5);
    expect(rerankedDocuments[0]).toBe(TEXTS[plainOrder(expected)[0]]);
  });

  test('gives no more than are asked for, and all where there are fewer', async () => {
    const all = (await rerank({ model, documents: TEXTS, query: QUERY })).ranking;
    const some = await rerank({ model, documents: TEXTS, query: QUERY, topN: 2 });
    expect(some.ranking).toEqual(all.slice(0, 2));
    const many = await rerank({ model, documents: TEXTS, query: QUERY, topN: 1e9 });
    expect(many.ranking).toEqual(all);
    expect((await rerank({ model, documents: [], query: QUERY })).ranking).toEqual([]);
  });

  test('reads the JSON of objects and warns of it, or what it is told to read', async () => {
    const documents = TEXTS.map((body, year) => ({ body, year, tags: [null, true] }));
    warned.length = 0;
    const asJson = await rerank({ model, documents, query: QUERY });
    const texts = documents.map((document) => JSON.stringify(document));
    const expected = plainOrder(await plainScores(encoder, QUERY, texts));
    expect(asJson.ranking.map(({ originalIndex }) => originalIndex)).toEqual(expected);
    expect(warned).toMatchObject([{ type: 'compatibility', feature: 'object documents' }]);
    warned.length = 0;
    const told = rerankingModel(encoder, { textOf: ({ body }) => String(body) });
    const { ranking } = await rerank({ model: told, documents, query: QUERY });
    const bodies = await rerank({ model, documents: TEXTS, query: QUERY });
    expect(ranking.map(({ score }) => score)).toEqual(bodies.ranking.map(({ score }) => score));
    expect(warned).toEqual([]);
  });

  test('warns of options that it does not have, and not of those of other providers', async () => {
    warned.length = 0;
    await rerank({
      model,
      documents: TEXTS,
      query: QUERY,
      headers: { 'x-more': '1' },
      providerOptions: { lemur: { fast: true }, cohere: { priority: 1 } },
    });
    expect(warned.map(({ type, feature }) => [type, feature])).toEqual([
      ['unsupported', 'providerOptions.lemur.fast'],
      ['unsupported', 'headers'],
    ]);
  });

  test.each([
    ['an empty query', { query: ' ' }, /query: expected a text/],
    ['no document to give', { topN: 0 }, /topN: expected an integer of at least 1, got 0/],
    ['fewer than none', { topN: -1 }, /topN: expected .* got -1/],
    ['a text that is none', { documents: ['a', 7 as unknown as string] }, /documents\[1\]: .* 7/],
  ])('refuses %s', async (_, wrong, message) => {
    const call = rerank({ model, documents: TEXTS, query: QUERY, ...wrong });
    await expect(call).rejects.toThrow(message);
    await expect(call).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  test('stops when it is told to', async () => {
    const abortSignal = AbortSignal.abort(new DOMException('enough', 'AbortError'));
    const call = rerank({ model, documents: TEXTS, query: QUERY, abortSignal });
    await expect(call).rejects.toBe(abortSignal.reason);
  });
});

test('documents are read to the tokens that are asked for, or as far as the encoder reads', async () => {
  const asked: unknown[] = [];
  const noting = {
    ...encoder,
    encodeDocument: (texts: readonly string[], options: object = {}) => {
      asked.push(Object.entries(options).find(([name]) => name === 'maxTokens'));
      return encoder.encodeDocument(texts);
    },
  };
  const call: RerankingCall = { documents: { type: 'text', values: TEXTS }, query: QUERY };
  const model = rerankingModel(noting);
  expect([model.provider, model.modelId]).toEqual(['lemur.reranking', 'words']);
  await model.doRerank(call);
  await rerankingModel(noting, { maxTokens: 7, modelId: 'mine' }).doRerank(call);
  expect(asked).toEqual([undefined, ['maxTokens', 7]]);
});

test.each([
  [() => rerankingModel({} as typeof encoder), /encoder: expected an encoder/],
  [() => rerankingModel(encoder, { maxTokens: 0 }), /maxTokens: expected .* got 0/],
  [() => rerankingModel(encoder, { textOf: 'body' } as object), /textOf: expected a function/],
  [() => rerankingModel(encoder, { topN: 3 } as object), /topN/],
  [() => searchTool({} as typeof index), /index: expected an Index/],
  [() => searchTool(index, { k: 21 }), /k: expected an integer from 1 to 20, got 21/],
  [() => searchTool(index, { groupBy: 'x' } as object), /groupBy: expected 'source'/],
])('what is wrong of a model or a tool is said at once (%#)', (make, message) => {
  expect(make).toThrow(message);
});

type Input = { query: string; k?: number; filter?: object };

/** A language model that searches once and then repeats what it was told. */
const answers = (input: Input, told: string | undefined) => ({
  content: told
    ? [{ type: 'text' as const, text: told }]
    : [
        {
          type: 'tool-call' as const,
          toolCallId: '1',
          toolName: 'search',
          input: JSON.stringify(input),
        },
      ],
  finishReason: { unified: told ? ('stop' as const) : ('tool-calls' as const), raw: undefined },
  usage: {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  },
  warnings: [],
});

/** The text of the tool's result in a prompt. */
function toldIn(prompt: readonly { role: string; content: unknown }[]): string | undefined {
  const parts = prompt.filter(({ role }) => role === 'tool').flatMap(({ content }) => content);
  const [result] = parts as { output: { value: unknown } }[];
  return result && String(result.output.value);
}

type Asking = { text: string; found: FoundText[]; schema: unknown };

async function askSix(tool: ReturnType<typeof searchTool>, input: Input): Promise<Asking> {
  const model = new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => answers(input, toldIn(prompt)),
  });
  const { text, steps } = await six.generateText({
    model,
    tools: { search: tool },
    stopWhen: six.stepCountIs(3),
    prompt: QUERY,
  });
  const [result] = steps[0].toolResults;
  return { text, found: result?.output as FoundText[], schema: model.doGenerateCalls[0].tools };
}

async function askSeven(tool: ReturnType<typeof searchTool>, input: Input): Promise<Asking> {
  const model = new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => answers(input, toldIn(prompt)),
  });
  const agent = new seven.ToolLoopAgent({ model, tools: { search: tool } });
  const { text, steps } = await agent.generate({ prompt: QUERY });
  const [result] = steps[0].toolResults;
  return { text, found: result?.output as FoundText[], schema: model.doGenerateCalls[0].tools };
}

describe.each([
  ['generateText of ai 6', askSix],
  ['an agent of ai 7', askSeven],
])('a search tool in %s', (_name, ask) => {
  test('finds what the index finds, and tells it in a short text with the ids', async () => {
    const query = 'what is bee20?';
    const { text, found } = await ask(searchTool(index), { query, k: 2 });
    const { hits } = await index.search(query, { k: 2, mode: 'hybrid' });
    expect(found.map(({ id, source }) => [id, source])).toEqual(
      hits.map(({ id, passage }) => [id, passage?.source]),
    );
    expect(found[0]).toMatchObject({ source: 'bees', title: 'On bees', lines: [1, 1] });
    expect(found[0].text).toContain('bee20');
    expect(text).toMatch(
      /^1\. \[bees#\d+\] "On bees", lines 1-1 \(similarity [01]\.\d\d\)\n.*bee20/,
    );
    expect(text.length).toBeLessThan(2 * 600);
  });

  test('is described with what it searches, and takes any filter', async () => {
    const { schema } = await ask(searchTool(index, { about: 'Notes on insects.' }), { query: 'a' });
    expect(schema).toMatchObject([
      {
        name: 'search',
        description: expect.stringMatching(/^Notes on insects\. Finds the passages/),
        inputSchema: {
          type: 'object',
          required: ['query'],
          properties: { filter: { type: 'object', additionalProperties: {} } },
        },
      },
    ]);
  });

  test('narrows the filter that it has, and does not widen it', async () => {
    const tool = searchTool(index, { filter: { year: { $gte: 2000 } }, groupBy: 'source' });
    const sources = async (input: Input): Promise<string[]> =>
      (await ask(tool, input)).found.map(({ id }) => id).sort();
    expect(await sources({ query: 'bee' })).toEqual(['ants', 'more']);
    expect(await sources({ query: 'bee', filter: { year: 2020 } })).toEqual(['more']);
    expect(await sources({ query: 'bee', filter: { year: 1967 } })).toEqual([]);
    const widened = { $or: [{ year: { $gte: 0 } }, {}] };
    expect(await sources({ query: 'bee', filter: widened })).toEqual(['ants', 'more']);
  });

  test('tells the model what was wrong', async () => {
    const tool = searchTool(index);
    expect((await ask(tool, { query: '' })).text).toContain('query: expected a text');
    expect((await ask(tool, { query: 'a', k: 99 })).text).toContain('from 1 to 20, got 99');
    const filter = { year: { $about: 2000 } };
    expect((await ask(tool, { query: 'a', filter })).text).toContain('$about');
    const more = { query: 'a', limit: 3 };
    expect((await ask(tool, more)).text).toContain("'k'?");
  });
});

test('a tool stops when it is told to', async () => {
  const abortSignal = AbortSignal.abort(new Error('enough'));
  const call = searchTool(index).execute({ query: 'bee' }, { abortSignal });
  await expect(call).rejects.toBe(abortSignal.reason);
});

test('a tool takes null for what is left open, as some models write it', async () => {
  const tool = searchTool(index, { k: 1 });
  const given = { query: 'bee', k: null, filter: null };
  expect(tool.inputSchema['~standard'].validate(given)).toEqual({ value: given });
  expect(await tool.execute(given)).toHaveLength(1);
});
