import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderStorage, Index, Lemur, MaxSim, maxSim } from '../../dist/entry/node.js';
import { decodeVectors, encodeVectors } from '../../dist/tokens/encode-tokens.js';
import { encodingOf } from '../../dist/tokens/encodings.js';
import { documentsOf, matrixOf, randomOf } from './random-documents.js';

const DIM = 24;
const COUNT = 700;
const FIT = {
  ...{ hiddenDim: 24, finalHiddenDim: 24, epochs: 2, trainSubsetSize: 32, prefixDim: 8 },
  ...{ learnSubsetSize: 512, olsSampleSize: 512, batchSize: 128 },
};
const LOST = { int4: [0.004, 0.015], int2: [0.08, 0.16] } as const;
const queries = [1, 2, 3].map((seed) => matrixOf(5, DIM, randomOf(1000 + seed)));
const all = documentsOf(COUNT, DIM);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-low-bit-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe.each(['int4', 'int2'] as const)('%s', (precision) => {
  const encoding = encodingOf(precision);

  /** Scores by MaxSim of what the stored rows are decoded to, by id. */
  async function expected(query: (typeof queries)[0]): Promise<Map<string, number>> {
    const manifest = JSON.parse(
      new TextDecoder().decode(await folderStorage(folder).read('index.json')),
    ).index;
    expect(manifest.tokenRotation).toHaveLength(4 * DIM);
    const parameters = Float32Array.from(manifest.tokenRotation);
    const codec = { encoding, dim: DIM, parameters };
    return new Map(
      all.map(({ id, tokens: { data, dims } }) => {
        const decoded = decodeVectors(encodeVectors(data, codec), codec);
        return [id, maxSim(query, { data: decoded, dims })];
      }),
    );
  }

  test('worker threads score rows that lie in files as MaxSim of the decoded vectors, the same bytes with one thread and two', async () => {
    const index = await Index.create(folder, { dim: DIM, precision, features: 'trained' });
    await index.add(all.slice(0, 500), { fit: false });
    await index.add(all.slice(500), { fit: false });
    await index.fit(FIT);
    const { quantizationError } = index.stats();
    expect(quantizationError).toBeGreaterThan(LOST[precision][0]);
    expect(quantizationError).toBeLessThan(LOST[precision][1]);
    await index.close();

    const answers = [];
    for (const threads of [1, 2]) {
      const opened = await Index.open(folder, { threads });
      answers.push(await opened.searchBatch(queries, { k: 10, numCandidates: 60 }));
      for (const query of queries) {
        const scores = await expected(query);
        const { hits } = await opened.search(query, { k: 20, exact: true });
        const best = [...scores.values()].sort((a, b) => b - a);
        for (const [i, { id, score }] of hits.entries()) {
          expect(score).toBeCloseTo(scores.get(id) as number, 3);
          expect(score).toBeCloseTo(best[i], 3);
        }
      }
      expect((await opened.verify()).problems).toEqual([]);
      await opened.close();
    }
    expect(answers[1].map(({ hits }) => hits)).toEqual(answers[0].map(({ hits }) => hits));
  });

  test('what is deleted and compacted away is gone, and the others keep their rows', async () => {
    const index = await Index.create(folder, { dim: DIM, precision });
    await index.add(all, { fit: false });
    const { hits } = await index.search(queries[0], { k: COUNT, exact: true });
    await index.delete(hits.slice(0, 100).map(({ id }) => id));
    await index.compact();
    const after = await index.search(queries[0], { k: COUNT, exact: true });
    expect(after.hits).toEqual(hits.slice(100));
    await index.close();
  });

  test('a damaged row is a bad file, for searches and for verify', async () => {
    const index = await Index.create(folder, { dim: DIM, precision });
    await index.add(all, { fit: false });
    await index.close();
    const name = (await readdir(folder)).find((file) => file.startsWith('segment.')) as string;
    const file = await open(join(folder, name), 'r+');
    const header = Number((await file.read(Buffer.alloc(8), 0, 8, 0)).buffer.readBigUInt64LE());
    const json = await file.read(Buffer.alloc(header), 0, header, 8);
    const [from] = JSON.parse(json.buffer.toString()).tokens.data_offsets;
    await file.write(Uint8Array.of(0x55, 0xaa, 0x55), 0, 3, 8 + header + from + 40);
    await file.close();
    const opened = await Index.open(folder);
    await expect(opened.search(queries[0], { exact: true })).rejects.toMatchObject({
      code: 'bad-file',
    });
    expect((await opened.verify()).problems).not.toEqual([]);
    await opened.close();
  });

  test('MaxSim and Lemur take it, and a saved fit computes the same weights', async () => {
    const tokens = all.slice(0, 80).map((document) => document.tokens);
    const scores = await Promise.all(
      [1, 2].map(async (threads) => {
        const exact = await MaxSim.create(tokens, { precision, threads });
        const found = await exact.score(queries);
        exact.close();
        return found;
      }),
    );
    expect(scores[1]).toEqual(scores[0]);

    const lemur = await Lemur.fit(tokens, { ...FIT, precision });
    const storage = folderStorage(join(folder, 'lemur'));
    await lemur.save(storage);
    const weights = await lemur.computeWeights(tokens.slice(0, 3));
    lemur.close();
    const loaded = await Lemur.load(storage);
    expect(loaded.options.precision).toBe(precision);
    expect(await loaded.computeWeights(tokens.slice(0, 3))).toEqual(weights);
    loaded.close();
  });
});
