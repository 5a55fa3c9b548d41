import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Hit, Index, memoryStorage, type SearchOptions } from '../../../dist/entry/node.js';
import { createRandom } from '../../../dist/tokens/random.js';
import { sentencesOf, wordEncoder } from '../passage-encoder.js';
import { rejection } from '../small-collection.js';

const threads = 1;
const DOCUMENTS = 700;
const random = createRandom(3, 1);
const WORDS = Array.from({ length: 60 }, (_, i) => `word${String.fromCharCode(97 + (i % 26))}${i}`);
const randomText = (): string =>
  Array.from({ length: 4 + random.integer(12) }, () => WORDS[random.integer(WORDS.length)]).join(
    ' ',
  );

let index: Index;
beforeAll(async () => {
  index = await Index.create(memoryStorage(), {
    encoder: wordEncoder(),
    features: 'random',
    threads,
  });
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({
    id: `d${i}`,
    text: randomText(),
    metadata: { third: i % 3 === 0 },
  }));
  await index.add(documents.slice(0, 500));
  await index.add(documents.slice(500));
  await index.delete(['d3', 'd600']);
  await index.fit({ finalHiddenDim: 64, olsSampleSize: 256, seed: 1 });
});
afterAll(() => index.close());

const questions = Array.from({ length: 5 }, () => `${randomText()} rare${random.integer(9)}`);
const include = [] as const;

interface Both {
  readonly meaning: ReadonlyMap<string, Hit>;
  readonly keywords: ReadonlyMap<string, Hit>;
}

/** What all documents that pass score by each of both. */
async function bothOf(question: string, filter: SearchOptions['filter']): Promise<Both> {
  const all = async (options: SearchOptions): Promise<ReadonlyMap<string, Hit>> => {
    const { hits } = await index.search(question, { ...options, filter, k: DOCUMENTS, include });
    return new Map(hits.map((hit) => [hit.id, hit]));
  };
  return { meaning: await all({ exact: true }), keywords: await all({ mode: 'keywords' }) };
}

/** Fused by hand. */
function fused({ meaning, keywords }: Both): { id: string; score: number }[] {
  return [...meaning]
    .map(([id, hit]) => ({ id, score: (hit.similarity + (keywords.get(id)?.similarity ?? 0)) / 2 }))
    .sort((a, b) => b.score - a.score);
}

describe('a hybrid search', () => {
  test.each([undefined, { third: true }])(
    'ranks all documents by the mean of both, with a filter too (%j)',
    async (filter) => {
      for (const question of questions) {
        const both = await bothOf(question, filter);
        const expected = fused(both);
        const options = { mode: 'hybrid', exact: true, filter, k: 50, include } as const;
        const { hits, how } = await index.search(question, options);
        expect(how).toMatchObject({ mode: 'hybrid', method: 'exact', candidates: how.passing });
        expect(hits.length).toBe(50);
        for (const [i, { id, score, similarity, parts }] of hits.entries()) {
          expect(score).toBeCloseTo(expected[i].score, 5);
          const own = { meaning: both.meaning.get(id), keywords: both.keywords.get(id) };
          expect(similarity).toBeCloseTo(own.meaning?.similarity ?? Number.NaN, 5);
          expect(parts?.meaning).toBeCloseTo(own.meaning?.score ?? Number.NaN, 4);
          expect(parts?.keywords).toBeCloseTo(own.keywords?.score ?? 0, 5);
        }
      }
    },
  );

  test('scores the best of both exactly by both, however few candidates there are', async () => {
    for (const question of questions) {
      const both = await bothOf(question, undefined);
      const options = { mode: 'hybrid', numCandidates: 20, k: 10, include } as const;
      const { hits, how } = await index.search(question, options);
      expect(how.method).toBe('features');
      expect(how.candidates).toBeGreaterThanOrEqual(20);
      expect(how.candidates).toBeLessThanOrEqual(40);
      for (const { id, score, parts } of hits) {
        const own = [both.meaning.get(id)?.score, both.keywords.get(id)?.score ?? 0] as const;
        expect(parts?.meaning).toBeCloseTo(own[0] ?? Number.NaN, 4);
        expect(parts?.keywords).toBeCloseTo(own[1], 5);
        expect(score).toBeCloseTo(fused(both).find((one) => one.id === id)?.score ?? 0, 5);
      }
      // the best by keywords is among what was scored, so nothing that is worse stands before it
      const [best] = both.keywords.keys();
      const least = hits[hits.length - 1].score;
      const own = fused(both).find(({ id }) => id === best)?.score ?? 0;
      if (own > least + 1e-5) expect(hits.map(({ id }) => id)).toContain(best);
    }
  });

  test('gives a document the same score whatever else is asked for', async () => {
    const options = { mode: 'hybrid', include } as const;
    const few = await index.search(questions[0], { ...options, k: 3 });
    const many = await index.search(questions[0], { ...options, k: 100 });
    expect(many.hits.slice(0, 3)).toEqual(few.hits);
    const batch = await index.searchBatch(questions, { ...options, k: 3 });
    expect(batch[0]).toEqual(few);
  });

  test('is by meaning alone for a question without words, and takes texts alone', async () => {
    const { hits } = await index.search('?!', { mode: 'hybrid', k: 5, exact: true, include });
    const near = await index.search('?!', { k: 5, exact: true, include });
    expect(hits.map(({ id }) => id)).toEqual(near.hits.map(({ id }) => id));
    expect(hits.every(({ parts }) => parts?.keywords === 0)).toBe(true);
    const vectors = { data: new Float32Array(16).fill(1), dims: [1, 16] };
    const error = await rejection(index.search(vectors, { mode: 'hybrid' }));
    expect(error.message).toContain("expected a text with mode 'hybrid'");
  });

  test('collapses passages to their documents', async () => {
    await using cut = await Index.create(memoryStorage(), {
      encoder: wordEncoder(),
      passages: { size: 20 },
      threads,
    });
    await cut.add(
      Array.from({ length: 30 }, (_, i) => ({ id: `d${i}`, text: sentencesOf(`word${i}`, 30) })),
    );
    const { hits } = await cut.search('word7 number', { mode: 'hybrid', groupBy: 'source', k: 12 });
    expect(hits.length).toBe(12);
    expect(hits[0].id).toBe('d7');
    for (const { score, parts, passages = [] } of hits) {
      expect(passages[0]).toMatchObject({ score, parts });
      expect(passages.length).toBeLessThanOrEqual(3);
    }
  });
});
