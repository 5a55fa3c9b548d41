import { afterAll, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { Index, Lemur, MaxSim, memoryStorage } from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { numbers, randomTexts } from '../numbers.js';
import { PlainRetriever } from './plain-retriever.js';

const DIM = 12;
const counts = Array.from({ length: 700 }, (_, i) => 1 + (i % 3));
const corpus = randomTexts(1, counts, DIM);
const queries = randomTexts(2, [3, 5, 1], DIM);
const cpu = await createCpuDevice(nodePlatform, 1);
afterAll(() => cpu.close());

const documents = counts.map((count, i) => {
  const from = counts.slice(0, i).reduce((sum, n) => sum + n, 0) * DIM;
  return {
    id: `document ${i}`,
    tokens: { data: corpus.vectors.slice(from, from + count * DIM), dims: [count, DIM] },
  };
});
const query = { data: queries.vectors.slice(0, 3 * DIM), dims: [3, DIM] };

test.each(['float32', 'int8'] as const)(
  'MaxSim searches on a device that does not learn: %s',
  async (precision) => {
    const [own, usual] = [new PlainRetriever(), cpu];
    const [ours, theirs] = [
      await MaxSim.create(corpus, { precision, device: own }),
      await MaxSim.create(corpus, { precision, device: usual }),
    ];
    const [found, expected] = [await ours.search(queries, 5), await theirs.search(queries, 5)];
    expect([...found.indices]).toEqual([...expected.indices]);
    for (const [i, score] of found.scores.entries())
      expect(score).toBeCloseTo(expected.scores[i], 2);
    ours.close();
    theirs.close();
  },
);

test('a collection searches on it, exactly and by features, and says what it cannot do', async () => {
  const storage = memoryStorage();
  const made = await Index.create(storage, { dim: DIM, features: 'random', device: cpu });
  await made.add(documents);
  await made.fit({ olsSampleSize: 256, finalHiddenDim: 32, prefixDim: 8, trainSubsetSize: 64 });
  const options = { k: 5, numCandidates: 100 };
  const [features, exact] = [
    await made.search(query, options),
    await made.search(query, { k: 5, exact: true }),
  ];
  await made.close();

  const alone = await Index.open(storage, { write: true, device: new PlainRetriever() });
  const idsOf = ({ hits }: typeof exact): string[] => hits.map(({ id }) => id);
  const found = await alone.search(query, options);
  expect(found.how).toEqual(features.how);
  expect(found.how).not.toEqual((await alone.search(query, { k: 5, exact: true })).how);
  expect(idsOf(found)).toEqual(idsOf(features));
  expect(idsOf(await alone.search(query, { k: 5, exact: true }))).toEqual(idsOf(exact));
  const where = { code: 'unsupported', message: expect.stringContaining('does not learn') };
  await expect(alone.fit()).rejects.toMatchObject(where);
  const tokens = { data: numbers(3).unitRows(2, DIM), dims: [2, DIM] };
  await expect(alone.add([{ id: 'another', tokens }])).rejects.toMatchObject(where);
  await alone.close();
});

test('fitting on it says what is missing, and what is no device is refused', async () => {
  const device = new PlainRetriever();
  await expect(Lemur.fit(corpus, { device })).rejects.toMatchObject({
    code: 'unsupported',
    fields: { where: 'Lemur.fit' },
    message: expect.stringMatching(/it has no features, targets, createTraining/),
  });
  const half = { upload: () => {}, free: () => {} } as never;
  await expect(MaxSim.create(corpus, { device: half })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('without allocate, join'),
  });
});
