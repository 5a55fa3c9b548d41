import { describe, expect, test } from 'vitest';
import { Lemur, type Progress } from '../../dist/entry/node.js';
import { bytesOf, randomTexts } from '../numbers.js';
import { LEMUR, runScript } from '../run-script.js';
import { expectGrowing } from './jobs.js';

describe('Lemur on the pool', () => {
  const documents = randomTexts(
    3,
    new Array(120).fill(0).map((_, i) => 5 + (i % 30)),
    48,
  );
  const queries = randomTexts(4, [5, 1, 12], 48);
  const options = { finalHiddenDim: 96, epochs: 4, batchSize: 128 };

  test('two fits at once and one after the other give the same bytes', async () => {
    const one = await Lemur.fit(documents, options);
    const both = await Promise.all([
      Lemur.fit(documents, options),
      Lemur.fit(documents, { ...options, seed: 1 }),
    ]);
    const [expected, same, other] = await Promise.all(
      [one, ...both].map(async (lemur) => bytesOf(await lemur.W)),
    );
    expect(same).toBe(expected);
    expect(other).not.toBe(expected);
  });

  test('a hundred calls at once get what one gets', async () => {
    const lemur = await Lemur.fit(documents, { ...options, epochs: 0 });
    const expected = await lemur.candidates(queries, 7);
    const found = await Promise.all(
      Array.from({ length: 100 }, () => lemur.candidates(queries, 7)),
    );
    for (const one of found) expect(one).toEqual(expected);
  });

  test('the event loop stays free during a fit', { retry: 2 }, async () => {
    // a process of its own: the loop of the tests belongs to their runner as well
    const { code, stdout } = await runScript(`
      import { Lemur } from ${LEMUR};
      const vectors = Float32Array.from({ length: 8000 * 64 }, (_, i) => Math.sin(i * i + 1));
      const documents = { vectors, counts: new Array(400).fill(20), dim: 64 };
      let last = performance.now();
      let longest = 0;
      let ticks = 0;
      const timer = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
        ticks++;
      }, 10);
      const started = performance.now();
      await Lemur.fit(documents, { finalHiddenDim: 512, epochs: 1, trainSubsetSize: 128, olsSampleSize: 4096 });
      clearInterval(timer);
      console.log(JSON.stringify({ longest, ticks, ms: performance.now() - started }));`);
    expect(code).toBe(0);
    const { longest, ticks } = JSON.parse(stdout) as { longest: number; ticks: number };
    expect(ticks).toBeGreaterThan(5);
    expect(longest).toBeLessThan(250);
  });

  test('tells of the progress of every stage, growing up to its total', async () => {
    const seen: Progress[] = [];
    await Lemur.fit(documents, {
      ...options,
      onProgress: (progress) => seen.push({ ...progress }),
    });
    const stages = [...new Set(seen.map(({ stage }) => stage))];
    expect(stages).toEqual(expect.arrayContaining(['targets', 'train', 'document weights']));
    // one stage follows the other
    expect(seen.map(({ stage }) => stage)).toEqual(
      stages.flatMap((stage) => seen.filter((p) => p.stage === stage).map(() => stage)),
    );
    for (const stage of stages) {
      const own = seen.filter((progress) => progress.stage === stage);
      expectGrowing(own);
      expect(own.at(-1)?.done).toBe(own[0].total);
    }
  });
});
