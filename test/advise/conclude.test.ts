import { describe, expect, test } from 'vitest';
import type { AdviceMethod, ComparedSearch } from '../../src/advise/compared.js';
import { conclude, type Wanted } from '../../src/advise/conclude.js';

const row = (
  method: AdviceMethod,
  numCandidates: number | null,
  recall: number,
  median: number,
  more: Partial<ComparedSearch> = {},
): ComparedSearch => ({
  ...{ method, numCandidates, recall },
  name: method === 'exact' ? 'exact MaxSim, float32' : method,
  ndcg: null,
  latency: { median, p95: 2 * median },
  stageBytes: null,
  tokenBytes: method === 'exact' ? 512 : null,
  ...more,
});
const exact = row('exact', null, 1, 42);
const wanted: Wanted = { k: 10, recall: 0.95, documents: 5000, total: 5000, isFitted: true };

describe('the advice', () => {
  test('is the trained features that reach the recall soonest, where random ones do not', () => {
    const rows = [
      exact,
      row('random', 100, 0.8, 1.5),
      row('random', 400, 0.93, 3.1),
      row('trained', 50, 0.94, 1.2),
      row('trained', 100, 0.992, 2.1),
      row('trained', 200, 0.998, 2.9),
    ];
    expect(conclude(rows, wanted)).toEqual({
      method: 'trained',
      numCandidates: 100,
      text:
        "use trained features and k' = 100: .992 of exact's top 10 in 2.1 ms, 20 times faster " +
        'than exact; random features reach .930 at most',
    });
  });

  test('tells of random features that get there without training', () => {
    const rows = [exact, row('random', 400, 0.953, 5.2), row('trained', 100, 0.97, 2)];
    const { method, text } = conclude(rows, wanted);
    expect(method).toBe('trained');
    expect(text).toContain("; random features reach .950 without training (k' = 400, 5.2 ms)");
  });

  test('is random features where training gains little', () => {
    const rows = [exact, row('random', 200, 0.96, 2.1), row('trained', 100, 0.96, 2)];
    const { method, numCandidates, text } = conclude(rows, wanted);
    expect([method, numCandidates]).toEqual(['random', 200]);
    expect(text).toContain("; training gains little (k' = 100, 2 ms)");
  });

  test('is exact search where nothing is much faster', () => {
    const quick = row('exact', null, 1, 2.4);
    const { method, numCandidates, text } = conclude([quick, row('trained', 50, 0.99, 2)], wanted);
    expect([method, numCandidates]).toEqual(['exact', null]);
    expect(text).toBe(
      'stay with exact search: it takes 2.4 ms, and the first stage that finds .950 of it ' +
        "soonest (trained features, k' = 50) is only 1.2 times faster",
    );
  });

  test('is exact search where nothing reaches the recall, and says what comes nearest', () => {
    const { method, text } = conclude(
      [exact, row('random', 400, 0.7, 1), row('trained', 400, 0.9, 1)],
      wanted,
    );
    expect(method).toBe('exact');
    expect(text).toContain("find .950 of its top 10: trained ones with k' = 400 find .900");
  });

  test('is exact search where an index would score all documents anyway', () => {
    const rows = [exact, row('trained', 50, 1, 1)];
    const few = { ...wanted, documents: 500, total: 500 };
    expect(conclude(rows, few).text).toContain('indexes score all of so few documents anyway');
    // twice the candidates are all
    const half = { ...wanted, documents: 800, total: 800 };
    const many = conclude([exact, row('trained', 400, 1, 1)], half);
    expect(many.method).toBe('exact');
    expect(many.text).toContain('takes so many candidates that indexes score all');
  });

  test('tells of what an index does not have of its own where that is much faster', () => {
    const rows = [
      exact,
      row('trained', 100, 0.96, 4),
      row('muvera', 50, 0.96, 2.9, { name: 'MUVERA, 2,560 values' }),
      row('pooled', 400, 0.5, 0.1),
    ];
    expect(conclude(rows, wanted).text).toContain(
      "; MUVERA, 2,560 values, k' = 50 takes 2.9 ms, as candidates of your own",
    );
    rows[2].latency.median = 3.9;
    expect(conclude(rows, wanted).text).not.toContain('MUVERA');
  });

  test('tells of hybrid searches that rank better, and of encodings that are smaller', () => {
    const judged = { ndcg: 0.69 };
    const rows = [
      { ...exact, ...judged },
      row('exact', null, 0.998, 20, { name: 'exact MaxSim, int8', tokenBytes: 128, ndcg: 0.69 }),
      row('exact', null, 0.95, 20, { name: 'exact MaxSim, int4', tokenBytes: 66, ndcg: 0.69 }),
      row('trained', 100, 0.96, 2, judged),
      row('hybrid', null, 0.7, 9, { ndcg: 0.72 }),
    ];
    const { text } = conclude(rows, wanted);
    expect(text).toContain('; hybrid search ranks better (nDCG .720 against .690)');
    expect(text).toContain('; exact MaxSim, int8 keeps .998 in 128 bytes a token instead of 512');
  });

  test('says how a small index comes to features', () => {
    const rows = [exact, row('trained', 50, 0.96, 2)];
    const small = { ...wanted, documents: 1400, total: 1400, isFitted: false };
    expect(conclude(rows, small).text).toContain('below 4,096 documents learns them where');
    expect(conclude(rows, { ...small, isFitted: true }).text).not.toContain('4,096');
  });
});
