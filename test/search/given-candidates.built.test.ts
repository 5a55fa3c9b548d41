import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MaxSim } from '../../dist/entry/node.js';
import { numbers, randomTexts } from '../numbers.js';
import { best, COUNTS, naiveScores } from './naive-scores.js';

describe('candidates', () => {
  const documents = randomTexts(5, COUNTS, 16);
  const queries = randomTexts(6, [4, 30, 1, 9], 16);
  const exact = naiveScores(queries, documents);
  let maxSim: MaxSim;
  beforeAll(async () => {
    maxSim = await MaxSim.create(documents, { threads: 1 });
  });
  afterAll(() => maxSim.close());

  test('may be lists of different lengths, empty ones among them, of any kind; short rows end in -1 and -Infinity', async () => {
    const lists = [[5, 80], [], [3, 3, 89, 0, 41], [7]];
    const forms = [
      lists,
      lists.map((list) => Int32Array.from(list)),
      lists.map((list) => Float64Array.from(list)),
    ];
    for (const candidates of forms) {
      const { indices, scores, k } = await maxSim.rerankSubset(queries, 3, candidates);
      expect(k).toBe(3);
      for (const [q, list] of lists.entries()) {
        const expected = best(exact[q], list, 3);
        const missing = 3 - expected.length;
        expect([...indices.subarray(q * 3, q * 3 + 3)]).toEqual([
          ...expected,
          ...new Array<number>(missing).fill(-1),
        ]);
        expect([...scores.subarray(q * 3 + expected.length, q * 3 + 3)]).toEqual(
          new Array(missing).fill(-Infinity),
        );
        for (const [i, d] of expected.entries())
          expect(scores[q * 3 + i]).toBeCloseTo(exact[q][d], 4);
      }
    }
  });

  test('may be what a search returned, whose -1 are skipped', async () => {
    const top = await maxSim.search(queries, 100);
    expect([...top.indices.subarray(90, 100)]).toEqual(new Array(10).fill(-1));
    const again = await maxSim.rerankSubset(queries, 100, top);
    expect(again).toEqual(top);
    const fewer = await maxSim.rerankSubset(queries, 4, {
      indices: Int32Array.of(-1, 9, 2, -1, -1, -1, 0, 1),
      k: 2,
    });
    expect([...fewer.indices.subarray(0, 4)]).toEqual([9, -1, -1, -1]);
    expect([...fewer.indices.subarray(4, 8)]).toEqual([2, -1, -1, -1]);
    expect([...fewer.indices.subarray(8, 12)]).toEqual([-1, -1, -1, -1]);
    expect([...fewer.indices.subarray(12, 16)]).toEqual([...best(exact[3], [0, 1], 2), -1, -1]);
  });

  test('may be none at all', async () => {
    const { indices, scores } = await maxSim.rerankSubset(queries, 2, [[], [], [], []]);
    expect([...indices]).toEqual(new Array(8).fill(-1));
    expect([...scores]).toEqual(new Array(8).fill(-Infinity));
  });

  test('outside the documents, not integers, or for another number of queries are refused', async () => {
    for (const [candidates, message] of [
      [[[1], [2], [0, 90], [3]], 'candidates[2][1]: expected a document number below 90, got 90'],
      [[[1], [1.5], [0], [3]], 'candidates[1][0]: expected a document number below 90, got 1.5'],
      [
        [[Number.NaN], [1], [0], [3]],
        'candidates[0][0]: expected a document number below 90, got NaN',
      ],
      [[[1], [2]], 'candidates: lists for 2 queries, expected 4'],
      [{ indices: new Int32Array(6), k: 2 }, 'candidates: lists for 3 queries, expected 4'],
      [{ indices: new Int32Array(9), k: 2 }, 'candidates: 9 indices, expected a multiple of k, 2'],
    ] as const) {
      await expect(maxSim.rerankSubset(queries, 1, candidates)).rejects.toMatchObject({
        code: 'invalid-argument',
        fields: { where: 'candidates' },
        message,
      });
    }
  });

  test('that score the same rank by their order, documents by their number', async () => {
    const vectors = Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0.5, 0);
    const same = await MaxSim.create({ vectors, counts: [1, 1, 1, 1, 1, 1], dim: 2 });
    const found = await same.search([[[1, 0]]], 6);
    expect([...found.indices]).toEqual([0, 2, 4, 5, 1, 3]);
    expect([...found.scores]).toEqual([1, 1, 1, 0.5, 0, 0]);
    const chosen = await same.rerankSubset([[[1, 0]]], 5, [[3, 4, 0, 1, 2]]);
    expect([...chosen.indices]).toEqual([4, 0, 2, 3, 1]);
    same.close();
  });

  test('of dense queries give what they give of ragged ones', async () => {
    const dense = { data: numbers(8).unitRows(3 * 7, 16), dims: [3, 7, 16] };
    const ragged = { vectors: dense.data, counts: [7, 7, 7], dim: 16 };
    const candidates = [[1, 2, 3, 4], [5, 6], [89]];
    expect(await maxSim.rerankSubsetFixed(dense, 3, candidates)).toEqual(
      await maxSim.rerankSubset(ragged, 3, candidates),
    );
  });

  test('get the same bytes with one thread and two', async () => {
    const two = await MaxSim.create(documents, { threads: 2 });
    expect(await two.score(queries)).toEqual(await maxSim.score(queries));
    expect(await two.search(queries, 9)).toEqual(await maxSim.search(queries, 9));
    two.close();
  });

  test('k must be a positive integer, queries of the right dimension, the precision known', async () => {
    for (const k of [0, -3, 2.5, Number.NaN]) {
      const wrong = { code: 'invalid-argument', fields: { where: 'k' } };
      await expect(maxSim.search(queries, k)).rejects.toMatchObject(wrong);
      await expect(maxSim.rerankSubset(queries, k, [[], [], [], []])).rejects.toMatchObject(wrong);
    }
    const mismatch = {
      code: 'dimension-mismatch',
      fields: { where: 'queries', expected: 16, got: 2 },
    };
    await expect(maxSim.score([[[1, 2]]])).rejects.toMatchObject(mismatch);
    await expect(MaxSim.create(documents, { precision: 'int3' as 'int8' })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: "precision: expected 'float32', 'int8', 'int4' or 'int2', got int3",
    });
    await expect(MaxSim.create([])).rejects.toMatchObject({
      code: 'empty-corpus',
      fields: { where: 'documents' },
    });
  });

  test('are not scored when the signal was aborted', async () => {
    const reason = new Error('enough');
    const options = { signal: AbortSignal.abort(reason) };
    await expect(maxSim.score(queries, options)).rejects.toBe(reason);
    await expect(maxSim.rerankSubset(queries, 1, [[1], [1], [1], [1]], options)).rejects.toBe(
      reason,
    );
    await expect(MaxSim.create(documents, options)).rejects.toBe(reason);
  });

  test('are refused with closed after close', async () => {
    const closing = await MaxSim.create(documents);
    closing.close();
    closing.close();
    const closed = { name: 'LemurError', code: 'closed' };
    await expect(closing.score(queries)).rejects.toMatchObject(closed);
    await expect(closing.search(queries, 1)).rejects.toMatchObject(closed);
    await expect(closing.rerankSubset(queries, 1, [[1], [], [], []])).rejects.toMatchObject(closed);
  });
});
