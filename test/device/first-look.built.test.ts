import { afterAll, describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { plainPlatform } from '../../dist/device/cpu/plain-platform.js';
import type { Device } from '../../dist/device/device.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import { withTensors } from '../../dist/device/with-tensors.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { encodeTokens, learnCodec } from '../../dist/tokens/encode-tokens.js';
import { rowOffsets, type TokenSets } from '../../dist/tokens/token-sets.js';
import { numbers, randomTexts, type Texts } from '../numbers.js';

const guardScratch = true;
/** With a first look on every engine: the plain kernels have it too. */
const PAIRS = {
  plain: (firstLook: boolean) => createCpuDevice(plainPlatform, 1, { guardScratch, firstLook }),
  'two threads': (firstLook: boolean) =>
    createCpuDevice(nodePlatform, 2, { guardScratch, firstLook }),
  'unshared memory': (firstLook: boolean) =>
    createCpuDevice({ ...nodePlatform, sharedMemory: false }, 1, { guardScratch, firstLook }),
};
const made: Device[] = [];
afterAll(async () => {
  for (const device of made) await device.close();
});

const DOCUMENTS = 150;
const counts = Array.from({ length: DOCUMENTS }, (_, d) => 1 + ((d * 7) % 23));
counts[17] = 300;
const QUERIES = [1, 9, 32, 70];

/** Documents near each other, the first of them twice, and one that is much longer. */
function documentsOf(dim: number): Texts {
  const texts = randomTexts(dim, counts, dim);
  const [first] = counts;
  texts.vectors.copyWithin(
    (texts.vectors.length / dim - counts[DOCUMENTS - 1]) * dim,
    0,
    first * dim,
  );
  const shared = numbers(dim + 1).floats(dim);
  for (let i = 0; i < texts.vectors.length; i++)
    texts.vectors[i] = texts.vectors[i] * 0.2 + shared[i % dim];
  for (let i = 5 * dim; i < 6 * dim; i++) texts.vectors[i] *= 300;
  return texts;
}

function setsOf({ vectors, counts, dim }: Texts): TokenSets {
  const lengths = Int32Array.from(counts);
  return { vectors, counts: lengths, offsets: rowOffsets(lengths), dim };
}

describe.each(Object.entries(PAIRS))('on %s', async (name, create) => {
  const [looking, other] = [await create(true), await create(false)];
  made.push(looking, other);

  /** Scores of all documents, and of lists with repetitions; with `best`, of those. */
  async function scores(device: Device, dim: number, best?: number): Promise<Float32Array[]> {
    const texts = documentsOf(dim);
    const sets = setsOf(texts);
    const stored = await encodeTokens(sets, await learnCodec('int8', sets, 0));
    const asked = randomTexts(dim + 2, QUERIES, dim);
    return withTensors(device, async (scope) => {
      const documents = await uploadTokens(scope, stored);
      const queries = await uploadTokens(scope, setsOf(asked));
      const all = await scope.allocate('f32', QUERIES.length * DOCUMENTS);
      await device.maxSim(queries, documents, all, { best });
      const lists = Int32Array.from(
        { length: QUERIES.length * 90 },
        (_, i) => (i * 31) % DOCUMENTS,
      );
      lists.fill(3, 20, 26);
      const offsets = Int32Array.from([0, 90, 180, 182, lists.length]);
      const chosen = await scope.upload('i32', lists);
      const some = await scope.allocate('f32', lists.length);
      await device.maxSimSubset(queries, documents, chosen, offsets, some, { best });
      const [ofAll, ofSome] = [await device.read(all), await device.read(some)];
      return [
        ...QUERIES.map((_, q) => ofAll.slice(q * DOCUMENTS, (q + 1) * DOCUMENTS)),
        ...QUERIES.map((_, q) => ofSome.slice(offsets[q], offsets[q + 1])),
      ];
    });
  }

  // the plain kernels are slow
  test.each(name === 'plain' ? [16, 48] : [16, 48, 128])(
    'the best scores are those without it, in %d dimensions',
    async (dim) => {
      const expected = await scores(other, dim);
      for (const best of [1, 10, 1000]) {
        for (const [i, list] of (await scores(looking, dim, best)).entries()) {
          const floor = [...expected[i]].sort((a, b) => b - a)[Math.min(best, list.length) - 1];
          for (const [d, score] of list.entries()) {
            // one that is left out is not among the best, nor equal to one of them
            if (score === -Infinity) expect(expected[i][d]).toBeLessThan(floor);
            else expect(score).toBe(expected[i][d]);
          }
        }
      }
    },
  );

  test('all scores are there where no number is given', async () => {
    expect(await scores(looking, 48)).toEqual(await scores(other, 48));
  });
});

test('most documents are left out by a first look', async () => {
  const device = await PAIRS.plain(true);
  made.push(device);
  const dim = 64;
  const texts = randomTexts(1, new Array(500).fill(4), dim);
  const sets = setsOf(texts);
  const stored = await encodeTokens(sets, await learnCodec('int8', sets, 0));
  const asked = { vectors: texts.vectors.slice(0, 4 * dim), counts: [4], dim };
  const left = await withTensors(device, async (scope) => {
    const documents = await uploadTokens(scope, stored);
    const queries = await uploadTokens(scope, setsOf(asked));
    const out = await scope.allocate('f32', 500);
    await device.maxSim(queries, documents, out, { best: 5 });
    return (await device.read(out)).filter((score) => score === -Infinity).length;
  });
  expect(left).toBeGreaterThan(250);
});
