import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { sentencesOf, wordEncoder } from './passage-encoder.js';
import { rejection } from './small-collection.js';

/** 40 documents of 12 passages or so, and one of very many, each of which speaks of the moon. */
const documents = [
  ...Array.from({ length: 40 }, (_, i) => ({
    id: `d${i}`,
    text: `${sentencesOf(`word${i}`, 30)} moon ${'star '.repeat(i % 7)}`,
    metadata: { even: i % 2 === 0 },
  })),
  { id: 'flood', text: 'The moon is a moon of moons. '.repeat(600), metadata: { even: true } },
];

let index: Index;
beforeAll(async () => {
  const encoder = wordEncoder();
  index = await Index.create(memoryStorage(), { encoder, passages: { size: 20 }, threads: 1 });
  await index.add(documents);
});
afterAll(() => index.close());

const options = { groupBy: 'source', include: ['text', 'metadata', 'evidence'] } as const;

describe('hits of sources', () => {
  test('are those of all passages, each source once, by its best', async () => {
    const all = await index.search('moon star', { k: index.size, exact: true, include: [] });
    const best = new Map<string, number>();
    for (const { passage, score } of all.hits)
      if (passage && !best.has(passage.source)) best.set(passage.source, score);
    const { hits } = await index.search('moon star', { ...options, k: 10 });
    expect(hits.map(({ id, score }) => [id, score])).toEqual([...best].slice(0, 10));
  });

  test('carry their best passages in order, three at most, and all that the first one has', async () => {
    const { hits } = await index.search('word3 moon', { ...options, k: 5 });
    for (const { id, passages = [], score, similarity, passage, text, evidence } of hits) {
      expect(passages.length).toBeGreaterThan(0);
      expect(passages.length).toBeLessThanOrEqual(3);
      expect(passages.every((one) => one.passage?.source === id && one.id === one.passage.id)).toBe(
        true,
      );
      const scores = passages.map((one) => one.score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
      expect(passages[0]).toMatchObject({ score, similarity, passage, text, evidence });
    }
  });

  test('are k where there are that many, however many passages one of them has', async () => {
    const { hits, how } = await index.search('moon', { ...options, k: 30 });
    expect(new Set(hits.map(({ id }) => id)).size).toBe(30);
    expect(how.passing).toBe(index.size);
    const few = await index.search('moon', { ...options, k: 100, filter: { even: true } });
    expect(few.hits.length).toBe(21);
  });

  test('come of a batch as one by one', async () => {
    const queries = ['moon', 'word7 number', 'star'];
    const batch = await index.searchBatch(queries, { ...options, k: 12 });
    for (const [i, query] of queries.entries())
      expect(batch[i]).toEqual(await index.search(query, { ...options, k: 12 }));
  });

  test('are documents in an index that does not cut', async () => {
    const plain = await Index.create(memoryStorage(), { encoder: wordEncoder(), threads: 1 });
    await plain.add(documents.slice(0, 5));
    const { hits } = await plain.search('word3', { groupBy: 'source', k: 2 });
    const single = await plain.search('word3', { k: 2 });
    expect(hits).toEqual(single.hits.map((hit) => ({ ...hit, passages: [hit] })));
    expect(single.hits[0].passage).toBeUndefined();
    await plain.close();
  });

  test('are asked for by one name', async () => {
    const error = await rejection(index.search('moon', { groupBy: 'path' as 'source' }));
    expect(error).toMatchObject({ code: 'invalid-argument' });
    expect(error.message).toContain("'source'");
  });
});

test('similarity is the score by token of the query', async () => {
  const { hits } = await index.search('word3 moon star', { k: 3 });
  for (const { score, similarity } of hits) expect(similarity).toBeCloseTo(score / 3, 6);
  const [same] = (await index.search('The moon is a moon of moons.', { k: 1 })).hits;
  expect(same.similarity).toBeGreaterThan(0.95);
  expect(same.similarity).toBeLessThanOrEqual(1.01);
});
