import { describe, expect, test } from 'vitest';
import { Lemur, MaxSim, memoryStorage } from '../../dist/entry/node.js';
import { numbers } from '../numbers.js';

const [DOCUMENTS, TOKENS, DIM, QUERIES] = [4200, 2, 12, 12];
const OPTIONS = {
  epochs: 0,
  finalHiddenDim: 64,
  prefixDim: 24,
  olsSampleSize: 512,
  trainSubsetSize: 64,
  threads: 1,
};
const draws = numbers(1).floats(DOCUMENTS);
const unit = numbers(2).unitRows(DOCUMENTS * TOKENS, DIM);
const corpusOf = (scale: (document: number) => number) => ({
  vectors: unit.map((value, i) => value * scale(Math.floor(i / (TOKENS * DIM)))),
  counts: new Array<number>(DOCUMENTS).fill(TOKENS),
  dim: DIM,
});
const queries = {
  vectors: numbers(3).unitRows(QUERIES * 3, DIM),
  counts: new Array<number>(QUERIES).fill(3),
  dim: DIM,
};
const long = { ...queries, vectors: queries.vectors.map((value) => value * 1000) };

/** Share of the 10 best documents that `counts` takes that are among the 200 candidates. */
async function recallOf(
  lemur: Lemur,
  corpus: ReturnType<typeof corpusOf>,
  scan: 'prefix' | 'full',
  counts = (_: number) => true,
) {
  const exact = await MaxSim.create(corpus, { threads: 1 });
  const scores = await exact.score(queries);
  exact.close();
  const { indices } = await lemur.candidates(queries, 200, { scan });
  let hits = 0;
  for (let q = 0; q < QUERIES; q++) {
    const row = scores.subarray(q * DOCUMENTS, (q + 1) * DOCUMENTS);
    const best = Array.from(row.keys()).filter(counts);
    best.sort((a, b) => row[b] - row[a]);
    const found = new Set(indices.subarray(q * 200, (q + 1) * 200));
    hits += best.slice(0, 10).filter((document) => found.has(document)).length;
  }
  return hits / (10 * QUERIES);
}

describe('a corpus with a document that is 1,000 times as long as others', () => {
  const corpus = corpusOf((i) => (i === 17 ? 1000 : 1));

  test('has as good candidates as one without, by prefixes and by all weights', async () => {
    const lemur = await Lemur.fit(corpus, OPTIONS);
    for (const scan of ['prefix', 'full'] as const) {
      expect(await recallOf(lemur, corpus, scan)).toBeGreaterThan(0.9);
      expect(await recallOf(lemur, corpus, scan, (i) => i !== 17)).toBeGreaterThan(0.9);
    }
    lemur.close();
  });

  test('is saved and loaded with the same candidates and scores', async () => {
    const lemur = await Lemur.fit(corpus, OPTIONS);
    const storage = memoryStorage();
    await lemur.save(storage);
    const loaded = await Lemur.load(storage, { threads: 1 });
    for (const asked of [queries, long])
      expect(await loaded.candidates(asked, 50)).toEqual(await lemur.candidates(asked, 50));
    expect(await loaded.W).toEqual(await lemur.W);
    lemur.close();
    loaded.close();
  });
});

test('estimates are on the scale of MaxSim whatever the lengths of documents and queries are', async () => {
  const corpus = corpusOf((i) => 10 ** (2 * draws[i]));
  const lemur = await Lemur.fit(corpus, { ...OPTIONS, finalHiddenDim: 128, olsSampleSize: 2048 });
  const exact = await MaxSim.create(corpus, { threads: 1 });
  for (const [asked, scale] of [
    [queries, 1],
    [long, 1000],
  ] as const) {
    const scores = await exact.score(asked);
    for (const scan of ['prefix', 'full'] as const) {
      const found = await lemur.candidates(asked, 20, { scan });
      for (const [i, document] of found.indices.entries()) {
        const q = Math.floor(i / 20);
        // off by a part of what three tokens of that length may have
        expect(Math.abs(found.scores[i] - scores[q * DOCUMENTS + document])).toBeLessThan(
          0.5 * 3 * scale * 10 ** (2 * draws[document]),
        );
      }
    }
  }
  expect(await recallOf(lemur, corpus, 'prefix')).toBeGreaterThan(0.95);
  lemur.close();
  exact.close();
});
