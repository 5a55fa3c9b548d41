import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLemurError } from '../../src/errors.js';
import { type PooledTokens, poolTokens } from '../../src/tokens/pool-tokens.js';
import { type TokenSets, tokenSets } from '../../src/tokens/token-sets.js';
import { dot, numbers, randomTexts, relativeError } from '../numbers.js';

const row = ({ vectors, dim }: TokenSets, i: number): Float32Array =>
  vectors.subarray(i * dim, (i + 1) * dim);

/**
 * What Ward's method is by its definition: of all pairs the one whose union adds least to the sum
 * of squares, one after the other.
 */
function naiveWard(x: readonly Float32Array[], clusters: number): number[][] {
  const mean = (rows: readonly number[]): number[] =>
    Array.from(x[0], (_, c) => rows.reduce((sum, i) => sum + x[i][c], 0) / rows.length);
  const scatter = (rows: readonly number[]): number => {
    const center = mean(rows);
    return rows.reduce((sum, i) => sum + center.reduce((s, m, c) => s + (x[i][c] - m) ** 2, 0), 0);
  };
  const found = x.map((_, i) => [i]);
  while (found.length > clusters) {
    let best = { cost: Infinity, a: 0, b: 0 };
    for (let a = 0; a < found.length; a++) {
      for (let b = 0; b < a; b++) {
        const cost = scatter([...found[a], ...found[b]]) - scatter(found[a]) - scatter(found[b]);
        if (cost < best.cost) best = { cost, a, b };
      }
    }
    const [gone] = found.splice(best.a, 1);
    found[best.b].push(...gone);
  }
  return found.map((rows) => rows.sort((a, b) => a - b)).sort((a, b) => a[0] - b[0]);
}

function clustersOf({ members }: PooledTokens): number[][] {
  return Array.from({ length: Math.max(...members) + 1 }, (_, cluster) =>
    [...members.keys()].filter((i) => members[i] === cluster),
  );
}

describe('pooling', () => {
  test('finds the clusters of Ward by its definition, with any factor', async () => {
    for (const [seed, n, dim] of [
      [1, 2, 3],
      [2, 9, 2],
      [3, 17, 5],
      [4, 24, 8],
      [5, 30, 1],
    ] as const) {
      const sets = await tokenSets(
        { vectors: numbers(seed).floats(n * dim, 3), counts: [n], dim },
        'documents',
      );
      for (const factor of [1.3, 2, 3, 4.5, 10, 1000]) {
        const pooled = await poolTokens(sets, factor);
        const expected = Math.max(1, Math.floor(n / factor));
        expect([...pooled.counts]).toEqual([expected]);
        const rows = Array.from({ length: n }, (_, i) => row(sets, i));
        expect(clustersOf(pooled)).toEqual(naiveWard(rows, expected));
      }
    }
  });

  test('three groups of points become their three means, in the order in which they begin', async () => {
    const points = [
      [9, 0],
      [0, 4],
      [9.5, 0],
      [-6, -6],
      [0, 4.5],
      [8.5, 0],
    ];
    const pooled = await poolTokens(await tokenSets([points], 'documents'), 2);
    expect([...pooled.members]).toEqual([0, 1, 0, 2, 1, 0]);
    expect([...pooled.vectors]).toEqual([9, 0, 0, 4.25, -6, -6]);
    expect([...pooled.offsets]).toEqual([0, 3]);
    expect(pooled.dim).toBe(2);
  });

  test('unit vectors become unit vectors in the direction of the mean, others have the mean norm', async () => {
    const texts = randomTexts(7, [40, 1, 13], 16);
    for (const scale of [1, 5]) {
      const sets = await tokenSets(
        { ...texts, vectors: texts.vectors.map((v) => v * scale) },
        'documents',
      );
      const pooled = await poolTokens(sets, 3);
      for (let text = 0, input = 0; text < 3; text++) {
        const members: number[][] = Array.from({ length: pooled.counts[text] }, () => []);
        for (const end = sets.offsets[text + 1]; input < end; input++)
          members[pooled.members[input]].push(input);
        members.forEach((rows, i) => {
          const got = row(pooled, pooled.offsets[text] + i);
          expect(Math.sqrt(dot(got, got))).toBeCloseTo(scale, 5);
          const sums = Float64Array.from(got, (_, c) =>
            rows.reduce((sum, r) => sum + row(sets, r)[c], 0),
          );
          const norm = Math.sqrt(dot(sums, sums));
          expect(
            relativeError(
              got,
              sums.map((v) => (v / norm) * scale),
            ),
          ).toBeLessThan(1e-6);
        });
      }
    }
  });

  test('members that cancel each other out, and zeros, leave zeros; equal vectors are merged first', async () => {
    const pool = async (rows: number[][], factor: number) => [
      ...(await poolTokens(await tokenSets([rows], 'documents'), factor)).vectors,
    ];
    expect(
      await pool(
        [
          [1, 0],
          [-1, 0],
        ],
        2,
      ),
    ).toEqual([0, 0]);
    expect(
      await pool(
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        2,
      ),
    ).toEqual([0, 0]);
    expect(
      await pool(
        [
          [0, 1],
          [1, 0],
          [0, 1],
          [1, 0],
          [0, 1],
        ],
        2,
      ),
    ).toEqual([0, 1, 1, 0]);
  });

  test('factor 1 gives the vectors back, a text of one token stays', async () => {
    const sets = await tokenSets(randomTexts(3, [4, 1, 2], 3), 'documents');
    const same = await poolTokens(sets, 1);
    expect(same.vectors).toBe(sets.vectors);
    expect([...same.members]).toEqual([0, 1, 2, 3, 0, 0, 1]);
    const pooled = await poolTokens(sets, 50);
    expect([...pooled.counts]).toEqual([1, 1, 1]);
    expect(row(pooled, 1)).toEqual(row(sets, 4));
  });

  test('what becomes of a text does not depend on its neighbours, nor on ties', async () => {
    const text = fc.array(fc.tuple(...[0, 1].map(() => fc.integer({ min: -2, max: 2 }))), {
      minLength: 1,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.double({ min: 1, max: 9, noNaN: true }),
        async (texts, factor) => {
          const sets = await tokenSets(texts, 'documents');
          const together = await poolTokens(sets, factor);
          for (let i = 0; i < texts.length; i++) {
            const alone = await poolTokens(await tokenSets([texts[i]], 'documents'), factor);
            const [from, to] = [together.offsets[i], together.offsets[i + 1]];
            expect([...alone.counts]).toEqual([Math.max(1, Math.floor(texts[i].length / factor))]);
            expect(alone.vectors).toEqual(together.vectors.slice(from * 2, to * 2));
            const members = together.members.subarray(sets.offsets[i], sets.offsets[i + 1]);
            expect(alone.members).toEqual(members.slice());
            // every cluster has a member, and they are numbered as they begin
            expect([...new Set(members)]).toEqual(Array.from({ length: to - from }, (_, c) => c));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a text of more than 2,048 tokens is pooled in equal parts, each as it would be alone', async () => {
    const texts = randomTexts(11, [4500], 4);
    const sets = await tokenSets(texts, 'documents');
    const pooled = await poolTokens(sets, 1500);
    expect([...pooled.counts]).toEqual([3]);
    expect([...pooled.members]).toEqual([
      ...new Array(1500).fill(0),
      ...new Array(1500).fill(1),
      ...new Array(1500).fill(2),
    ]);
    const [whole, part] = [
      await poolTokens(sets, 4),
      await poolTokens(
        await tokenSets(
          { ...texts, counts: [1500], vectors: texts.vectors.subarray(1500 * 4, 3000 * 4) },
          'documents',
        ),
        4,
      ),
    ];
    expect([...whole.counts]).toEqual([3 * 375]);
    expect(whole.vectors.slice(375 * 4, 750 * 4)).toEqual(part.vectors);
    expect(whole.members.slice(1500, 3000)).toEqual(part.members.map((row) => row + 375));
  });

  test('refuses factors that make no sense, and stops with the reason of its signal in the middle of a text', async () => {
    const sets = await tokenSets(randomTexts(5, [2000], 64), 'documents');
    for (const factor of [0.5, 0, -1, NaN, Infinity, '2' as unknown as number]) {
      const error = await poolTokens(sets, factor).catch((e: unknown) => e);
      expect(isLemurError(error, 'invalid-argument')).toBe(true);
    }
    const reason = new Error('enough');
    await expect(poolTokens(sets, 2, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const under = poolTokens(sets, 2, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(under).rejects.toBe(reason);
  });
});
