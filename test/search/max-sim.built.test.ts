import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LemurError, MaxSim, maxSim, type TokenMatrix } from '../../dist/entry/node.js';
import {
  naiveMaxSim,
  numbers,
  randomTexts,
  relativeError,
  rowsOfTexts,
  sum,
  type Texts,
} from '../numbers.js';
import { best, COUNTS, naiveScores } from './naive-scores.js';

const DIMS = [3, 48, 64, 96, 128, 384];
const LENGTHS = [1, 2, 15, 16, 17, 31, 32, 33, 256];

describe('maxSim', () => {
  test('is the sum over query tokens of the largest inner product, worked out by hand', () => {
    const query = [
      [1, 0],
      [0, 2],
    ];
    const document = [
      [3, -1],
      [1, 1],
      [-5, -1],
    ];
    // token 1: max(3, 1, -5) = 3; token 2: max(-2, 2, -2) = 2
    expect(maxSim(query, document)).toBe(5);
    expect(maxSim([[1]], [[-3], [-2]])).toBe(-2);
  });

  test('takes tensors and nested arrays alike', () => {
    const texts = randomTexts(1, [5, 9], 7);
    const [query, document] = rowsOfTexts(texts);
    const expected = naiveMaxSim(query, document);
    const forms = (rows: Float32Array[]): TokenMatrix[] => {
      const data = Float32Array.from(rows.flatMap((row) => [...row]));
      return [
        rows,
        rows.map((row) => [...row]),
        { data, dims: [rows.length, 7] },
        { data, dims: [1, rows.length, 7] },
      ];
    };
    for (const q of forms(query))
      for (const d of forms(document)) expect(maxSim(q, d)).toBe(expected);
  });

  const refused: [string, unknown, unknown, string, string, RegExp][] = [
    [
      'other dimensions',
      [[1, 2]],
      [[1]],
      'dimension-mismatch',
      'document',
      /document: token vectors have 1 dimensions, those of the query 2/,
    ],
    [
      'uneven tokens',
      [[1, 2], [1]],
      [[1, 2]],
      'dimension-mismatch',
      'query',
      /query\[1\]: token vector has 1 dimensions/,
    ],
    ['an empty query', [], [[1]], 'empty-document', 'query', /query: no token vectors/],
    [
      'an empty document',
      [[1]],
      { data: new Float32Array(0), dims: [0, 1] },
      'empty-document',
      'document',
      /document: no token vectors/,
    ],
    [
      'dims that do not fit',
      { data: new Float32Array(6), dims: [2, 2] },
      [[1, 2]],
      'invalid-argument',
      'query',
      /with 6 values in all, got \[2,2\]/,
    ],
    ['a flat array', new Float32Array(4), [[1]], 'invalid-argument', 'query', /got Float32Array/],
    ['an array of numbers', [[1]], [1, 2], 'invalid-argument', 'document', /got number/],
    [
      'other data',
      { data: [1, 2], dims: [1, 2] },
      [[1, 2]],
      'invalid-argument',
      'query',
      /expected a Float32Array, got Array/,
    ],
    ['nothing', undefined, [[1]], 'invalid-argument', 'query', /got undefined/],
  ];
  test.each(refused)('refuses %s', (_name, query, document, code, where, message) => {
    try {
      maxSim(query as TokenMatrix, document as TokenMatrix);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(LemurError);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
      expect((error as LemurError).fields.where).toMatch(new RegExp(`^${where}`));
    }
  });
});

describe.each(DIMS)('MaxSim in %d dimensions', (dim) => {
  const documents = randomTexts(dim, COUNTS, dim);
  const queries = randomTexts(dim + 1, LENGTHS, dim);
  const exact = naiveScores(queries, documents);
  let float32: MaxSim;
  let int8: MaxSim;
  beforeAll(async () => {
    float32 = await MaxSim.create(documents);
    int8 = await MaxSim.create(documents, { precision: 'int8' });
  });
  afterAll(() => {
    float32.close();
    int8.close();
  });

  test('scores every query with every document', async () => {
    const scores = await float32.score(queries);
    expect(relativeError(scores, exact.flat())).toBeLessThan(1e-6);
    const [query] = rowsOfTexts(queries).slice(-1);
    expect(relativeError(await float32.score([query]), exact[LENGTHS.length - 1])).toBeLessThan(
      1e-6,
    );
  });

  test('loses hardly more with int8 where all vectors have a large part in common', async () => {
    const shift = numbers(dim)
      .floats(dim, 1)
      .map((v) => Math.sign(v) * (3 / Math.sqrt(dim))); // prettier-ignore
    const narrow = (texts: Texts): Texts => ({
      ...texts,
      vectors: texts.vectors.map((v, i) => v + shift[i % dim]),
    });
    const [shiftedDocuments, shiftedQueries] = [narrow(documents), narrow(queries)];
    const coded = await MaxSim.create(shiftedDocuments, { precision: 'int8' });
    const scores = await coded.score(shiftedQueries);
    coded.close();
    const wide = naiveScores(shiftedQueries, shiftedDocuments);
    const mean = sum(wide.flat()) / scores.length;
    // the queries' own 12 bits see the common part
    expect(
      relativeError(
        Array.from(scores, (v) => v - mean),
        wide.flat().map((v) => v - mean),
      ),
    ).toBeLessThan(2e-2); // prettier-ignore
  });

  test('loses with int8 no more than the rounding of the codes', async () => {
    const scores = await int8.score(queries);
    const largestOf = (texts: Texts): number =>
      texts.vectors.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const [largestDocument, largestQuery] = [largestOf(documents), largestOf(queries)];
    const size = (row: Float32Array): number => row.reduce((total, v) => total + Math.abs(v), 0);
    const documentSize = Math.max(...rowsOfTexts(documents).flat().map(size)) + dim / 254;
    let worst = 0;
    for (const [q, query] of rowsOfTexts(queries).entries()) {
      const bound = sum(
        query.map(
          (row) => (size(row) * largestDocument) / 254 + (documentSize * largestQuery) / 8190,
        ),
      );
      for (let d = 0; d < COUNTS.length; d++)
        worst = Math.max(worst, Math.abs(scores[q * COUNTS.length + d] - exact[q][d]) / bound);
    }
    expect(worst).toBeLessThan(1);
    expect(relativeError(scores, exact.flat())).toBeLessThan(5e-3);
  });

  test('finds the best of all, and the best of candidates', async () => {
    const all = COUNTS.map((_, d) => d);
    const some = LENGTHS.map((_, q) => all.filter((d) => (d * 7 + q) % 3 === 0).reverse());
    const found = await float32.search(queries, 10);
    const subset = await float32.rerankSubset(queries, 6, some);
    expect([found.k, found.indices.length, subset.k, subset.indices.length]).toEqual([
      10,
      10 * LENGTHS.length,
      6,
      6 * LENGTHS.length,
    ]);
    for (const q of LENGTHS.keys()) {
      expect([...found.indices.subarray(q * 10, (q + 1) * 10)]).toEqual(best(exact[q], all, 10));
      expect([...subset.indices.subarray(q * 6, (q + 1) * 6)]).toEqual(best(exact[q], some[q], 6));
    }
    const expected = (top: typeof found): number[] =>
      Array.from(top.indices, (d, i) => exact[Math.floor(i / top.k)][d]);
    expect(relativeError(found.scores, expected(found))).toBeLessThan(1e-6);
    expect(relativeError(subset.scores, expected(subset))).toBeLessThan(1e-6);
  });

  test('loses no more with int8 to documents that are 1,000 times as long as others, or a thousandth as long', async () => {
    for (const factor of [1000, 1e-3]) {
      const texts = randomTexts(70, new Array<number>(80).fill(6), 32);
      const long = texts.vectors.map((value, i) =>
        i < 6 * 32 || i >= 79 * 6 * 32 ? value * factor : value,
      );
      const coded = await MaxSim.create(
        { ...texts, vectors: long },
        { precision: 'int8', threads: 1 },
      );
      const asked = randomTexts(71, [4, 4], 32);
      const scores = await coded.score(asked);
      const exact = naiveScores(asked, { ...texts, vectors: long });
      // codes are of what is at most as long as the document, or as what all have in common
      for (const [q, row] of exact.entries())
        for (const [d, score] of row.entries())
          expect(Math.abs(scores[q * 80 + d] - score)).toBeLessThan(
            0.06 * (d === 0 || d === 79 ? Math.max(1, factor) : 1),
          );
      coded.close();
    }
  });

  test('reranks candidates by int8 as it searches by int8', async () => {
    const all = LENGTHS.map(() => COUNTS.map((_, d) => d));
    expect(await int8.rerankSubset(queries, 10, all)).toEqual(await int8.search(queries, 10));
  });
});

test('queries of every length from 1 to 70 tokens are scored, alone and together', async () => {
  const documents = randomTexts(1, [1, 2, 3, 50, 17], 40);
  const queries = randomTexts(
    2,
    Array.from({ length: 70 }, (_, i) => i + 1),
    40,
  );
  const exact = naiveScores(queries, documents);
  const maxSim = await MaxSim.create(documents);
  expect(relativeError(await maxSim.score(queries), exact.flat())).toBeLessThan(1e-6);
  const together = await maxSim.rerankSubset(
    queries,
    5,
    queries.counts.map(() => [4, 3, 2, 1, 0]),
  );
  for (const [q, query] of rowsOfTexts(queries).entries()) {
    const alone = await maxSim.rerankSubset([query], 5, [[4, 3, 2, 1, 0]]);
    expect(alone.indices).toEqual(together.indices.slice(q * 5, q * 5 + 5));
    expect(alone.scores).toEqual(together.scores.slice(q * 5, q * 5 + 5));
    expect([...alone.indices]).toEqual(best(exact[q], [4, 3, 2, 1, 0], 5));
  }
  maxSim.close();
});

test('a query longer than what is scored at once, and a document longer than a tile', async () => {
  const documents = randomTexts(3, [1500, 1, 1100], 8);
  const queries = randomTexts(4, [2500, 1, 2047, 2049], 8);
  const exact = naiveScores(queries, documents);
  for (const precision of ['float32', 'int8'] as const) {
    const maxSim = await MaxSim.create(documents, { precision });
    const scores = await maxSim.score(queries);
    expect(relativeError(scores, exact.flat())).toBeLessThan(precision === 'float32' ? 1e-6 : 1e-2);
    const { indices } = await maxSim.rerankSubset(queries, 1, [[0, 2], [1], [2, 1], [1, 0]]);
    expect([...indices]).toEqual([
      best(exact[0], [0, 2], 1)[0],
      1,
      best(exact[2], [2, 1], 1)[0],
      best(exact[3], [1, 0], 1)[0],
    ]);
    maxSim.close();
  }
});

test('documents may change after create: the scores are of what was given', async () => {
  const documents = randomTexts(7, [3, 4], 8);
  const queries = randomTexts(8, [2], 8);
  const maxSim = await MaxSim.create(documents);
  const before = await maxSim.score(queries);
  documents.vectors.fill(0);
  expect(await maxSim.score(queries)).toEqual(before);
  maxSim.close();
});
