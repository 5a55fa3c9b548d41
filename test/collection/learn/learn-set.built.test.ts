import { expect, test } from 'vitest';
import { type Encoder, Index, isLemurError, memoryStorage } from '../../../dist/entry/node.js';
// @ts-expect-error: JavaScript, since the script that makes the indexes of fixtures uses it too
import { letters as plainLetters } from '../../fixtures/indexes/letters.mjs';
import { documentsOf } from '../random-documents.js';

const letters = plainLetters as Encoder;
const LEARN = { olsSampleSize: 128, finalHiddenDim: 32, learnSubsetSize: 512, trainSubsetSize: 32 };
const WORDS = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'heath'];
const textOf = (i: number): string =>
  Array.from({ length: 4 + (i % 90) }, (_, j) => WORDS[(i * (j + 1) + j * j) % 8]).join(' ');
const texts = Array.from({ length: 600 }, (_, i) => ({ id: `d${i}`, text: textOf(i) }));

/** Reads queries otherwise than documents, and remembers them. */
function asymmetric(): { encoder: Encoder; asked: string[] } {
  const asked: string[] = [];
  const encoder: Encoder = {
    ...letters,
    async encodeQuery(some, options) {
      asked.push(...some);
      const { vectors, ...rest } = await letters.encodeDocument(some, options);
      return { ...rest, vectors: vectors.map((value, i) => value * (1 + (i % 3))) };
    },
  };
  return { encoder, asked };
}

async function fitted(
  learn?: readonly string[],
): Promise<{ asked: string[]; stats: Awaited<ReturnType<Index['fit']>>; index: Index }> {
  const { encoder, asked } = asymmetric();
  const index = await Index.create(memoryStorage(), { encoder, features: 'random', threads: 1 });
  await index.add(texts);
  const stats = await index.fit({ ...LEARN, ...(learn ? { learn } : {}) });
  return { asked, stats, index };
}

test('with an encoder an index learns from its texts as queries are read, and draws the queries of tune in the same way', async () => {
  const { asked, index } = await fitted();
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.length % 64).toBe(0);
  for (const query of asked) {
    expect(query.length).toBeLessThanOrEqual(200);
    expect(texts.some(({ text }) => ` ${text} `.includes(` ${query} `))).toBe(true);
  }
  expect(asked.some((query) => texts.every(({ text }) => !text.startsWith(query)))).toBe(true);

  const before = asked.length;
  const curve = await index.tune({ k: 5, sample: 20 });
  expect(curve).toMatchObject({ source: 'collection', queries: 20 });
  const drawn = asked.slice(before);
  expect(drawn).toHaveLength(20);
  for (const query of drawn) {
    expect(query.split(' ').length).toBeLessThanOrEqual(12);
    expect(texts.some(({ text }) => text.includes(query))).toBe(true);
  }
  await index.close();
});

test('the same seed gives the same learn set, and queries that are given are taken instead', async () => {
  const queries = Array.from({ length: 40 }, (_, i) => textOf(i + 5000));
  const [one, two, own] = [await fitted(), await fitted(), await fitted(queries)];
  expect(two.asked).toEqual(one.asked);
  expect(two.stats.residuals).toEqual(one.stats.residuals);
  expect(own.asked).toEqual(queries);
  expect(own.stats.residuals).not.toEqual(one.stats.residuals);
  for (const { index } of [one, two, own]) await index.close();
});

test('without texts, or without an encoder, it learns from token vectors', async () => {
  const { encoder, asked } = asymmetric();
  await using index = await Index.create(memoryStorage(), {
    encoder,
    features: 'random',
    threads: 1,
  });
  await index.add(documentsOf(600, letters.dim).map(({ id, tokens }) => ({ id, tokens })));
  expect((await index.fit(LEARN)).features).toBe('random');
  expect(asked).toEqual([]);
  await using bare = await Index.create(memoryStorage(), {
    dim: letters.dim,
    features: 'random',
    threads: 1,
  });
  await bare.add(documentsOf(600, letters.dim));
  const error = await bare.fit({ ...LEARN, learn: ['a text'] }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isLemurError(error, 'invalid-argument')).toBe(true);
  expect((error as Error).message).toMatch(/learn: texts, and this index has no encoder/);
});
