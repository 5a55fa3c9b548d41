import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lemur, memoryStorage } from '../../dist/entry/node.js';
import { bytesOf, randomTexts } from '../numbers.js';
import { QUICK } from './corpus.js';

const DOCUMENTS = 4200;
const texts = randomTexts(
  11,
  Array.from({ length: DOCUMENTS }, (_, i) => 1 + (i % 5)),
  16,
);
const queries = randomTexts(
  12,
  Array.from({ length: 30 }, (_, i) => 3 + (i % 7)),
  16,
);
const OPTIONS = { ...QUICK, prefixDim: 12, seed: 5 };

let lemur: Lemur;
beforeAll(async () => {
  lemur = await Lemur.fit(texts, OPTIONS);
});
afterAll(() => lemur.close());

/** Share of b's documents that are among a's. */
function overlap(
  a: { indices: Int32Array; k: number },
  b: { indices: Int32Array; k: number },
): number {
  let found = 0;
  for (let q = 0; q < queries.counts.length; q++) {
    const known = new Set(a.indices.subarray(q * a.k, (q + 1) * a.k));
    for (const id of b.indices.subarray(q * b.k, (q + 1) * b.k)) if (known.has(id)) found++;
  }
  return found / b.indices.length;
}

describe('candidates by prefixes', () => {
  test('are nearly those of the full scan, with nearly its scores, and more alike the more are rescored', async () => {
    const full = await lemur.candidates(queries, 20, { scan: 'full' });
    const shares: number[] = [];
    for (const rescored of [20, 80, 400, DOCUMENTS - 1]) {
      const top = await lemur.candidates(queries, 20, { rescored });
      shares.push(overlap(top, full));
      const estimates = new Map(
        Array.from(full.indices, (id, i) => [`${Math.floor(i / 20)} ${id}`, full.scores[i]]),
      );
      const spread = Math.max(...full.scores) - Math.min(...full.scores);
      top.indices.forEach((id, i) => {
        const known = estimates.get(`${Math.floor(i / 20)} ${id}`);
        if (known !== undefined)
          expect(Math.abs(top.scores[i] - known)).toBeLessThan(0.03 * spread);
      });
    }
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    // random texts have no leading directions: a quarter of the coordinates holds less than it does
    // of real ones
    expect(shares[1]).toBeGreaterThan(0.5);
    expect(shares[3]).toBeGreaterThan(0.9);
  });

  test('rescore four times as many as are asked for by default', async () => {
    const top = await lemur.candidates(queries, 20);
    expect(await lemur.candidates(queries, 20, { rescored: 80 })).toEqual(top);
  });

  test('give way to the full scan where all would be rescored, or where there are no prefixes', async () => {
    const full = await lemur.candidates(queries, 20, { scan: 'full' });
    expect(await lemur.candidates(queries, 20, { rescored: DOCUMENTS })).toEqual(full);
    const without = await Lemur.fit(texts, { ...OPTIONS, prefixDim: 0 });
    expect(await without.candidates(queries, 20)).toEqual(full);
    without.close();
  });

  test('are the same bytes after saving and loading, with any number of threads, and after another fit', async () => {
    const storage = memoryStorage();
    await lemur.save(storage);
    expect(await storage.list()).toContain('lemur-prefix.1.safetensors');
    const expected = await lemur.candidates(queries, 20);
    const again = await Lemur.fit(texts, { ...OPTIONS, threads: 1 });
    const others = [
      await Lemur.load(storage, { threads: 1 }),
      await Lemur.load(storage, { threads: 2 }),
      again,
    ];
    for (const other of others) {
      const { indices, scores } = await other.candidates(queries, 20);
      expect([await bytesOf(indices), await bytesOf(scores)]).toEqual([
        await bytesOf(expected.indices),
        await bytesOf(expected.scores),
      ]);
      other.close();
    }
  });

  test('need a whole prefix file', async () => {
    const storage = memoryStorage();
    await lemur.save(storage);
    const bytes = await storage.read('lemur-prefix.1.safetensors');
    bytes[bytes.length - 5] ^= 1;
    await storage.write('lemur-prefix.1.safetensors', bytes);
    await expect(Lemur.load(storage)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('lemur-prefix.1.safetensors'),
    });
    await storage.delete('lemur-prefix.1.safetensors');
    await expect(Lemur.load(storage)).rejects.toMatchObject({ code: 'not-found' });
  });

  test.each([
    [{ scan: 'fast' as never }, /scan: expected 'prefix' or 'full', got fast/],
    [{ rescored: 19 }, /rescored: expected an integer of at least k, 20, got 19/],
    [{ rescored: Number.NaN }, /got NaN/],
  ])('refuse options that make no sense: %o', async (options, message) => {
    await expect(lemur.candidates(queries, 20, options)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(message),
    });
  });

  test('can be aborted, and report their progress', async () => {
    const seen: string[] = [];
    await lemur.candidates(queries, 20, {
      onProgress: ({ stage, done, total }) => seen.push(`${stage} ${done}/${total}`),
    });
    expect(seen).toContain('candidates 30/30');
    await expect(
      lemur.candidates(queries, 20, { signal: AbortSignal.abort(new Error('stop')) }),
    ).rejects.toThrow('stop');
  });

  test.each([-1, 1.5, Number.NaN])(
    'need a prefixDim that is an integer of at least 0, not %d',
    async (prefixDim) => {
      await expect(Lemur.fit(texts, { ...OPTIONS, prefixDim })).rejects.toMatchObject({
        code: 'invalid-argument',
        fields: { where: 'prefixDim' },
      });
    },
  );
});
