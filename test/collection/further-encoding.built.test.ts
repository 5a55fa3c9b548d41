import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { plainPlatform } from '../../dist/device/cpu/plain-platform.js';
import { inProcessWorker } from '../../dist/device/cpu/worker/in-process-worker.js';
import type { Device } from '../../dist/device/device.js';
import {
  folderStorage,
  Index,
  Lemur,
  MaxSim,
  maxSim,
  memoryStorage,
  type Storage,
} from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { decodeRows, encodeVectors } from '../../dist/tokens/encode-tokens.js';
import type { TokenCodec } from '../../dist/tokens/encoding.js';
import { encodings, type Precision } from '../../dist/tokens/encodings.js';
import { nibbleEncoding } from '../tokens/nibble-encoding.js';
import { documentsOf, matrixOf, randomOf } from './random-documents.js';

// A further encoding touches two files: its own (test/tokens/nibble-encoding.ts) and the table that
// gets its line and its name (src/tokens/encodings.ts). A kernel of its own would make it four: the
// kernel's file and a line in src/device/cpu/operations/token-scorers.ts.
const precision = 'nibbles' as Precision;
beforeAll(() => void encodings.set(nibbleEncoding.name, nibbleEncoding));
afterAll(() => void encodings.delete(nibbleEncoding.name));

const DIM = 15;
const COUNT = 700;
const FIT = {
  ...{ hiddenDim: 24, finalHiddenDim: 24, epochs: 2, trainSubsetSize: 32, prefixDim: 8 },
  ...{ learnSubsetSize: 512, olsSampleSize: 512, batchSize: 128 },
};
const queries = [1, 2, 3, 4].map((seed) => matrixOf(5, DIM, randomOf(1000 + seed)));

type Documents = ReturnType<typeof documentsOf>;

const manifestOf = async (storage: Storage) =>
  JSON.parse(new TextDecoder().decode(await storage.read('index.json'))).index;

const parametersOf = async (storage: Storage) =>
  Float32Array.from((await manifestOf(storage)).tokenLevels ?? []);

/** What vectors are decoded to. */
function storedAndBack(data: Float32Array, codec: TokenCodec): Float32Array {
  const out = new Float32Array(data.length);
  decodeRows(encodeVectors(data, codec), codec, out);
  return out;
}

/** Ids and scores of documents by MaxSim of what their vectors are decoded to, best first. */
function ranking(documents: Documents, parameters: Float32Array, query: (typeof queries)[0]) {
  const codec = { encoding: nibbleEncoding, dim: DIM, parameters };
  return documents
    .map(({ id, tokens: { data, dims } }) => {
      const decoded = storedAndBack(data, codec);
      return { id, score: maxSim(query, { data: decoded, dims }) };
    })
    .sort((a, b) => b.score - a.score);
}

async function expectExact(index: Index, storage: Storage, documents: Documents): Promise<void> {
  const parameters = await parametersOf(storage);
  for (const query of queries) {
    const { hits, how } = await index.search(query, { k: 20, exact: true });
    const expected = ranking(documents, parameters, query).slice(0, 20);
    expect(how).toMatchObject({ method: 'exact', documents: documents.length });
    for (const [i, { score }] of hits.entries()) expect(score).toBeCloseTo(expected[i].score, 4);
    expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(expected.map(({ id }) => id)));
  }
}

/** By features with as many candidates as there may be, scores are those of an exact search. */
async function expectFeatures(index: Index): Promise<void> {
  for (const query of queries) {
    const exact = await index.search(query, { k: 10, exact: true });
    const { hits, how } = await index.search(query, { k: 10, numCandidates: 300 });
    expect(how.method).toBe('features');
    const found = new Map(hits.map(({ id, score }) => [id, score]));
    const same = exact.hits.filter(({ id, score }) => found.get(id) === score);
    expect(same.length).toBeGreaterThanOrEqual(6);
  }
}

const PLATFORMS = {
  'plain kernels': plainPlatform,
  'WASM kernels': { ...nodePlatform, sharedMemory: false, spawnWorker: inProcessWorker },
};

describe.each(Object.keys(PLATFORMS) as (keyof typeof PLATFORMS)[])('with %s', (name) => {
  let device: Device;
  let folder: string;
  beforeAll(async () => {
    device = await createCpuDevice({ ...PLATFORMS[name], readsFiles: false }, 1);
    folder = await mkdtemp(join(tmpdir(), 'lemur-further-encoding-'));
  });
  afterAll(async () => {
    await device.close();
    await rm(folder, { recursive: true });
  });

  test('a collection of a further encoding is added to, reopened, searched, fitted, deleted from and compacted as any other', async () => {
    const storage = folderStorage(folder);
    const all = documentsOf(COUNT, DIM);
    let index = await Index.create(storage, { dim: DIM, precision, features: 'trained', device });
    await index.add(all.slice(0, COUNT - 50));
    await index.close();

    const { precision: written, tokenMean, tokenLevels } = await manifestOf(storage);
    expect({ written, tokenMean }).toEqual({ written: 'nibbles', tokenMean: null });
    expect(tokenLevels).toHaveLength(nibbleEncoding.parameterCount(DIM));

    index = await Index.open(storage, { write: true, device });
    await expectExact(index, storage, all.slice(0, COUNT - 50));
    await index.fit(FIT);
    await index.add(all.slice(COUNT - 50), { fit: false });
    await expectExact(index, storage, all);
    await expectFeatures(index);

    await index.delete(all.slice(0, 90).map(({ id }) => id));
    await index.compact();
    await index.close();

    index = await Index.open(storage, { device });
    await expectExact(index, storage, all.slice(90));
    await expectFeatures(index);
    expect(index.stats()).toMatchObject({ precision: 'nibbles', documents: COUNT - 90 });
    expect(index.stats().quantizationError).toBeGreaterThan(0);
    expect(index.stats().quantizationError).toBeLessThan(0.02);
    expect((await index.verify()).problems).toEqual([]);
    await index.close();
  });

  test('an encoding that says that others would be better has its parameters and all rows replaced at compact', async () => {
    encodings.set('nibbles', {
      ...nibbleEncoding,
      // the sample is on the levels, which it would give again: another plane tells
      learn: (sample, seed) => nibbleEncoding.learn(sample, sample.counts.length < 60 ? seed : 7),
      improves: async () => true,
    });
    const storage = memoryStorage();
    const index = await Index.create(storage, { dim: DIM, precision, device });
    const all = documentsOf(60, DIM);
    await index.add(all[0]);
    await index.add(all.slice(1));
    const before = await parametersOf(storage);
    await expectExact(index, storage, all);
    await index.compact();
    expect(await parametersOf(storage)).not.toEqual(before);
    const codec = { encoding: nibbleEncoding, dim: DIM, parameters: before };
    const stored = all.map(({ tokens: { data, dims }, ...rest }) => ({
      ...rest,
      tokens: { data: storedAndBack(data, codec), dims },
    }));
    await expectExact(index, storage, stored);
    await index.close();
    encodings.set('nibbles', nibbleEncoding);
  });

  test('MaxSim scores it, and a fit computes with it, is saved and loaded', async () => {
    const documents = documentsOf(80, DIM);
    const tokens = documents.map((document) => document.tokens);
    const exact = await MaxSim.create(tokens, { precision, device });
    const scores = await exact.score(queries);
    exact.close();
    for (const [q, query] of queries.entries())
      for (const [d, document] of tokens.entries())
        expect(Math.abs(scores[q * 80 + d] - maxSim(query, document))).toBeLessThan(0.5);

    const lemur = await Lemur.fit(tokens, { ...FIT, precision, device });
    const storage = memoryStorage();
    await lemur.save(storage);
    const weights = await lemur.computeWeights(tokens.slice(0, 3));
    lemur.close();
    const loaded = await Lemur.load(storage, { device });
    expect(loaded.options.precision).toBe('nibbles');
    expect(await loaded.computeWeights(tokens.slice(0, 3))).toEqual(weights);
    loaded.close();
  });
});
