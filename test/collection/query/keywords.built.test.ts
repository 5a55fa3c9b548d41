import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Encoder,
  highlight,
  Index,
  type IndexDocument,
  memoryStorage,
} from '../../../dist/entry/node.js';
import { wordEncoder } from '../passage-encoder.js';
import { rejection } from '../small-collection.js';

const threads = 1;
const tokens = { data: Float32Array.of(1, 0), dims: [1, 2] };
const WORDS = ['moon', 'star', 'sun', 'sky', 'the', 'a', 'night', 'comet', 'dust'];

/** BM25 by its formula, of plain words, over all texts that are there. */
function plainScores(texts: ReadonlyMap<string, string>, query: string): Map<string, number> {
  const [k1, b] = [1.5, 0.75];
  const split = (text: string): string[] => text.split(' ').filter((word) => word !== '');
  const documents = [...texts].map(([id, text]) => ({ id, words: split(text) }));
  const own = documents.filter(({ words }) => words.length > 0);
  const mean = own.reduce((sum, { words }) => sum + words.length, 0) / own.length;
  const scores = new Map<string, number>();
  for (const { id, words } of own) {
    let score = 0;
    for (const word of split(query)) {
      const count = words.filter((other) => other === word).length;
      const having = own.filter((one) => one.words.includes(word)).length;
      const idf = Math.log(1 + (own.length - having + 0.5) / (having + 0.5));
      const long = 1 - b + (b * words.length) / mean;
      score += (idf * count * (k1 + 1)) / (count + k1 * long);
    }
    if (score > 0) scores.set(id, score);
  }
  return scores;
}

describe('a search by keywords', () => {
  test('ranks by BM25 over all texts, whatever is deleted, filtered out or merged', async () => {
    const text = fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((w) => w.join(' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(text, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(40), { maxLength: 8 }),
        fc.array(fc.constantFrom(...WORDS, 'nowhere'), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (adds, gone, query, compacts) => {
          const index = await Index.create(memoryStorage(), { dim: 2, threads });
          const texts = new Map<string, string>();
          for (const [i, add] of adds.entries()) {
            const documents = add.map((one, j) => ({ id: `d${i}-${j}`, text: one }));
            await index.add(
              documents.map((one, j) => ({ ...one, tokens, metadata: { even: j % 2 === 0 } })),
            );
            for (const one of documents) texts.set(one.id, one.text);
          }
          const ids = [...texts.keys()];
          const deleted = gone.flatMap((at) => ids[at] ?? []);
          await index.delete(deleted);
          for (const id of deleted) texts.delete(id);
          if (compacts) await index.compact();
          const question = query.join(' ');
          const expected = plainScores(texts, question);
          const options = { mode: 'keywords', k: 100, include: [] } as const;
          for (const even of [undefined, true, false]) {
            const filter = even === undefined ? undefined : { even };
            const { hits, how } = await index.search(question, { ...options, filter });
            const passing = [...expected].filter(
              ([id]) => even === undefined || (Number(id.split('-')[1]) % 2 === 0) === even,
            );
            expect(hits.length).toBe(passing.length);
            expect(new Map(hits.map(({ id }) => [id, 0]))).toEqual(
              new Map(passing.map(([id]) => [id, 0])),
            );
            for (const [i, { id, score, similarity }] of hits.entries()) {
              expect(score).toBeCloseTo(expected.get(id) ?? 0, 5);
              expect(similarity).toBeGreaterThan(0);
              expect(similarity).toBeLessThan(1);
              if (i > 0) expect(score).toBeLessThanOrEqual(hits[i - 1].score);
            }
            if (texts.size > 0)
              expect(how).toMatchObject({ method: 'keywords', candidates: passing.length });
            const few = await index.search(question, { ...options, filter, k: 2 });
            expect(few.hits).toEqual(hits.slice(0, 2));
          }
          expect((await index.verify()).problems).toEqual([]);
          await index.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  const documents: IndexDocument[] = [
    { id: 'code', text: 'It fails with ERR_MODULE_NOT_FOUND when node:fs is imported.', tokens },
    { id: 'parts', text: 'A module was not found; err on the side of caution.', tokens },
    { id: 'name', text: 'Call getUserById(7) in v1.2.3, error 0x80070005.', tokens },
    { id: 'kyoto', text: '京都は日本の都市です。', tokens },
    { id: 'tokyo', text: '東京タワーは高い。', tokens },
    { id: 'silent', tokens },
  ];
  const made = async (): Promise<Index> => {
    const index = await Index.create(memoryStorage(), { dim: 2, threads });
    await index.add(documents);
    return index;
  };

  test.each([
    ['ERR_MODULE_NOT_FOUND', ['code', 'parts']],
    ['node:fs', ['code']],
    ['getuserbyid', ['name']],
    ['user', ['name']],
    ['0x80070005', ['name']],
    ['v1.2.3', ['name']],
    ['京都', ['kyoto']],
    ['高', ['tokyo']],
    ['東京', ['tokyo']],
    ['都京', []],
    ['?!', []],
    ['unknownword', []],
  ])('for %s finds %j', async (query, expected) => {
    await using index = await made();
    const { hits } = await index.search(query, { mode: 'keywords', include: [] });
    expect(hits.map(({ id }) => id)).toEqual(expected);
  });

  test('says which words matched, and what each adds to the score', async () => {
    await using index = await made();
    const question = 'where does ERR_MODULE_NOT_FOUND come from?';
    const { hits } = await index.search(question, {
      mode: 'keywords',
      include: ['text', 'evidence'],
    });
    expect(hits.map(({ id }) => id)).toEqual(['code', 'parts']);
    for (const { text = '', evidence, score } of hits) {
      expect(evidence.reduce((sum, one) => sum + one.score, 0)).toBeCloseTo(score, 5);
      for (const { span = [0, 0], querySpan = [0, 0] } of evidence)
        expect(text.slice(...span).toLowerCase()).toBe(question.slice(...querySpan).toLowerCase());
    }
    expect(highlight(hits[0], { query: question }).text).toContain('**ERR_MODULE_NOT_FOUND**');
  });

  test('says of the parts of a name where they are in it', async () => {
    await using index = await made();
    const text = 'The module cache is not the error: ERR_MODULE_NOT_FOUND is.';
    await index.add({ id: 'far', text, tokens });
    const query = 'ERR_MODULE_NOT_FOUND';
    const { hits } = await index.search(query, {
      mode: 'keywords',
      include: ['text', 'evidence'],
    });
    const { evidence = [] } = hits.find(({ id }) => id === 'far') ?? {};
    expect(evidence.length).toBe(5);
    for (const { span = [0, 0], querySpan = [0, 0] } of evidence) {
      expect(span[0] - querySpan[0]).toBe(text.indexOf(query));
      expect(span[1] - querySpan[1]).toBe(text.indexOf(query));
    }
    await index.delete('far');
  });

  test('answers a batch as one by one, and takes texts alone', async () => {
    await using index = await made();
    const options = { mode: 'keywords' } as const;
    const queries = ['module', 'error', 'nothing here'];
    const batch = await index.searchBatch(queries, options);
    for (const [i, query] of queries.entries())
      expect(batch[i]).toEqual(await index.search(query, options));
    const vectors = await rejection(index.search(tokens, options));
    expect(vectors).toMatchObject({ code: 'invalid-argument' });
    expect(vectors.message).toContain("expected a text with mode 'keywords'");
    expect((await rejection(index.search(' ', options))).code).toBe('invalid-argument');
    const recall = await rejection(index.search('module', { ...options, recall: 0.9 }));
    expect(recall.message).toContain("with mode 'keywords'");
    const other = await rejection(index.search('module', { mode: 'words' as 'keywords' }));
    expect(other.message).toContain('expected meaning, keywords, hybrid');
  });

  test('needs no encoder where the one of the collection is not to be had', async () => {
    const storage = memoryStorage();
    const encoder = wordEncoder();
    const index = await Index.create(storage, { encoder, threads });
    await index.add({ id: 'a', text: 'the moon and the stars' });
    await index.close();
    const failing: Encoder = {
      ...encoder,
      encodeQuery: () => Promise.reject(new Error('asked')),
    };
    for (const other of [false as const, failing]) {
      await using reader = await Index.open(storage, { encoder: other, threads });
      const { hits } = await reader.search('moon', { mode: 'keywords', include: ['evidence'] });
      expect(hits.map(({ id }) => id)).toEqual(['a']);
    }
  });

  test('finds passages, and their documents once each with groupBy', async () => {
    await using index = await Index.create(memoryStorage(), {
      encoder: wordEncoder(),
      passages: { size: 10 },
      threads,
    });
    const filler = 'One sentence of seven plain words here. ';
    await index.add([
      { id: 'one', text: `${filler.repeat(3)}A comet. ${filler.repeat(3)}A comet again.` },
      { id: 'two', text: `${filler.repeat(9)}The comet and the dust.` },
      { id: 'three', text: filler.repeat(4) },
    ]);
    const found = await index.search('comet dust', { mode: 'keywords' });
    expect(found.hits.length).toBeGreaterThan(2);
    for (const { text = '', passage } of found.hits) {
      expect(text).toMatch(/comet|dust/);
      expect(['one', 'two']).toContain(passage?.source);
    }
    const { hits } = await index.search('comet dust', { mode: 'keywords', groupBy: 'source' });
    expect(hits.map(({ id }) => id)).toEqual(['two', 'one']);
    expect(hits[0].passages?.[0]).toMatchObject({ score: found.hits[0].score });
  });
});

describe('a collection without keywords', () => {
  test('has no file of them, says so, and gets them by compact', async () => {
    const storage = memoryStorage();
    const options = { dim: 2, keywords: false, threads } as const;
    const index = await Index.create(storage, options);
    await index.add({ id: 'a', text: 'the moon', tokens });
    const files = async (): Promise<string[]> =>
      (await storage.list()).filter((name) => name.startsWith('keywords.'));
    expect(await files()).toEqual([]);
    expect(index.stats().keywords).toBeNull();
    for (const mode of ['keywords', 'hybrid'] as const) {
      const error = await rejection(index.search('moon', { mode }));
      expect(error).toMatchObject({ code: 'unsupported' });
      expect(error.message).toContain('compact({ keywords: true })');
    }
    await index.compact();
    expect(await files()).toEqual([]);
    await index.compact({ keywords: true });
    expect((await files()).length).toBe(1);
    expect((await index.search('moon', { mode: 'keywords' })).hits.length).toBe(1);
    await index.add({ id: 'b', text: 'another moon', tokens });
    expect((await index.search('moon', { mode: 'keywords' })).hits.length).toBe(2);
    expect(index.stats().keywords).toMatchObject({ missing: 0 });
    await index.compact({ keywords: false });
    expect(await files()).toEqual([]);
    expect((await rejection(index.search('moon', { mode: 'keywords' }))).code).toBe('unsupported');
    await index.close();
    const again = await rejection(Index.openOrCreate(storage, { dim: 2, keywords: true, threads }));
    expect(again.message).toContain('keywords: true, expected false');
    const wrong = await rejection(
      Index.create(memoryStorage(), { dim: 2, keywords: 'no' as unknown as boolean }),
    );
    expect(wrong.message).toContain('keywords: expected true or false');
  });

  test('that has no words either has no file, and finds nothing', async () => {
    const storage = memoryStorage();
    await using index = await Index.create(storage, { dim: 2, threads });
    await index.add([
      { id: 'a', tokens },
      { id: 'b', text: '... !', tokens },
    ]);
    expect((await storage.list()).filter((name) => name.startsWith('keywords.'))).toEqual([]);
    expect((await index.search('moon', { mode: 'keywords' })).hits).toEqual([]);
  });
});
