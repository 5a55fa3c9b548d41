import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lemur, type LemurSearchOptions, MaxSim } from '../../dist/entry/node.js';
import { randomTexts } from '../numbers.js';
import { QUICK } from './corpus.js';

const DOCUMENTS = 4200;
const DIM = 16;
const texts = randomTexts(
  11,
  Array.from({ length: DOCUMENTS }, (_, i) => 1 + (i % 5)),
  DIM,
);
const queries = randomTexts(
  12,
  Array.from({ length: 30 }, (_, i) => 3 + (i % 7)),
  DIM,
);

let lemur: Lemur;
let exact: MaxSim;
let elsewhere: MaxSim;
beforeAll(async () => {
  lemur = await Lemur.fit(texts, { ...QUICK, prefixDim: 12, seed: 5 });
  exact = await MaxSim.create(texts, { precision: 'int8' });
  elsewhere = await MaxSim.create(texts, { precision: 'int8', threads: 1 });
});
afterAll(() => {
  for (const one of [lemur, exact, elsewhere]) one.close();
});

describe('a search of a Lemur', () => {
  test.each<LemurSearchOptions>([
    {},
    { numCandidates: 40 },
    { numCandidates: 40, rescored: 50 },
    { numCandidates: 40, scan: 'full' },
    { numCandidates: 5000 },
  ])('gives what candidates and their rerank give: %o', async (options) => {
    const { numCandidates = 200, ...rest } = options;
    const candidates = await lemur.candidates(queries, numCandidates, rest);
    const expected = await exact.rerankSubset(queries, 10, candidates);
    expect(await lemur.search(queries, 10, exact, options)).toEqual(expected);
    // documents that lie elsewhere take two calls
    expect(await lemur.search(queries, 10, elsewhere, options)).toEqual(expected);
  });

  test('answers each query as alone, and asks for at least two candidates a document', async () => {
    const all = await lemur.search(queries, 150, exact);
    const tokens = queries.vectors.subarray(0, 3 * DIM);
    const alone = await lemur.search({ vectors: tokens, counts: [3], dim: DIM }, 150, exact);
    expect(alone.indices).toEqual(all.indices.subarray(0, 150));
    expect(alone.scores).toEqual(all.scores.subarray(0, 150));
    const more = await lemur.search(queries, 150, exact, { numCandidates: 300 });
    expect(more).toEqual(all);
  });

  test('refuses other documents than were learned, and fewer candidates than answers', async () => {
    const few = await MaxSim.create(randomTexts(1, [1, 2], DIM), {});
    const invalid = { code: 'invalid-argument' };
    await expect(lemur.search(queries, 10, few)).rejects.toMatchObject(invalid);
    await expect(lemur.search(queries, 10, {} as MaxSim)).rejects.toMatchObject(invalid);
    await expect(lemur.search(queries, 10, exact, { numCandidates: 9 })).rejects.toMatchObject(
      invalid,
    );
    few.close();
    await expect(lemur.search(queries, 10, few)).rejects.toMatchObject({ code: 'closed' });
  });
});
