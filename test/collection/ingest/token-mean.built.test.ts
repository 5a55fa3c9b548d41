import { expect, test } from 'vitest';
import { decodeManifest } from '../../../dist/collection/files/manifest-file.js';
import { Index, memoryStorage, type Storage } from '../../../dist/entry/node.js';
import { numbers } from '../../numbers.js';

const DIM = 16;
const TOKENS = 6;
const random = numbers(7);

/** Unit vectors in a cone around one direction. */
function textOf(length: number): Float32Array {
  const values = random.floats(TOKENS * DIM, 0.3);
  for (let at = 0; at < values.length; at += DIM) {
    values[at] += 1;
    const norm = Math.hypot(...values.subarray(at, at + DIM));
    for (let j = 0; j < DIM; j++) values[at + j] *= length / norm;
  }
  return values;
}

const documentsOf = (count: number, length: (i: number) => number, first = 0) =>
  Array.from({ length: count }, (_, i) => ({
    id: `d${first + i}`,
    text: `text ${first + i}`,
    metadata: { even: i % 2 === 0 },
    tokens: { data: textOf(length(i)), dims: [TOKENS, DIM] },
  }));

type Documents = ReturnType<typeof documentsOf>;

/**
 * The largest difference of exact scores from those of the given vectors, relative to the query's
 * number of tokens.
 */
async function worstScore(index: Index, documents: Documents): Promise<number> {
  const { data } = documents[documents.length - 1].tokens;
  const { hits } = await index.search(
    { data, dims: [TOKENS, DIM] },
    { k: documents.length, exact: true },
  );
  let worst = 0;
  for (const { id, score } of hits) {
    const other = documents.find((document) => document.id === id)?.tokens.data as Float32Array;
    let expected = 0;
    for (let q = 0; q < TOKENS; q++) {
      let best = -Infinity;
      for (let t = 0; t < TOKENS; t++) {
        let product = 0;
        for (let j = 0; j < DIM; j++) product += data[q * DIM + j] * other[t * DIM + j];
        best = Math.max(best, product);
      }
      expected += best;
    }
    worst = Math.max(worst, Math.abs(score - expected) / Math.max(TOKENS, Math.abs(expected)));
  }
  return worst;
}

const manifestOf = async (storage: Storage) =>
  decodeManifest(await storage.read('index.json'), 'index.json');

test('one document whose vectors are a thousand times as long, first, alone or among others, costs the others nothing', async () => {
  const usual = documentsOf(40, () => 1, 1);
  for (const first of [
    documentsOf(1, () => 1000),
    documentsOf(1, () => 1e14),
    documentsOf(1, () => 1e-4),
  ]) {
    for (const together of [true, false]) {
      const index = await Index.create(memoryStorage(), { dim: DIM });
      const all = [...first, ...usual];
      if (together) await index.add(all);
      else for (const document of all) await index.add(document);
      expect(await worstScore(index, usual.length > 0 ? all : first)).toBeLessThan(0.01);
      await index.close();
    }
  }
});

test('a collection that was centred by its first documents alone is written anew at compact, when that is materially off, in one commit', async () => {
  const storage = memoryStorage();
  const index = await Index.create(storage, { dim: DIM });
  const first = documentsOf(2, () => 1e-4);
  const rest = documentsOf(100, () => 1, 2);
  await index.add(first);
  await index.add(rest);
  await index.delete('d5');
  const reader = await Index.open(storage);
  const before = await manifestOf(storage);
  await index.compact();
  const after = await manifestOf(storage);
  expect(Math.hypot(...(before.tokenMean ?? []))).toBeLessThan(1e-3);
  expect(Math.hypot(...(after.tokenMean ?? []))).toBeGreaterThan(0.5);
  const left = [...first, ...rest].filter(({ id }) => id !== 'd5');
  expect(index.size).toBe(left.length);
  expect(await worstScore(index, left)).toBeLessThan(0.01);
  expect(await index.get('d7')).toMatchObject({
    id: 'd7',
    text: 'text 7',
    metadata: { even: false },
  });
  expect((await index.verify()).problems).toEqual([]);
  // a reader of the old state keeps that, and takes the new one over when it is asked to
  expect(await worstScore(reader, left)).toBeLessThan(0.02);
  expect(await reader.refresh()).toBe(true);
  expect(await worstScore(reader, left)).toBeLessThan(0.01);
  // it will do now
  await index.fit();
  expect((await manifestOf(storage)).tokenMean).toEqual(after.tokenMean);
  await Promise.all([index.close(), reader.close()]);
});

test('documents get new codes with their new tokens, by the model that there is', async () => {
  const storage = memoryStorage();
  const index = await Index.create(storage, { dim: DIM, features: 'random' });
  await index.add(documentsOf(40, () => 1e-4));
  const { features } = await index.fit({
    epochs: 0,
    finalHiddenDim: 32,
    trainSubsetSize: 16,
    olsSampleSize: 256,
    learnSubsetSize: 256,
  });
  expect(features).toBe('random');
  const fitted = await manifestOf(storage);
  const rest = documentsOf(150, () => 1, 40);
  await index.add(rest);
  const added = await manifestOf(storage);
  await index.compact();
  const compacted = await manifestOf(storage);
  expect(compacted.model?.file.name).toBe(fitted.model?.file.name);
  expect(compacted.segments.map(({ codes }) => codes?.crc32)).not.toEqual(
    added.segments.map(({ codes }) => codes?.crc32),
  );
  expect(Math.hypot(...(compacted.tokenMean ?? []))).toBeGreaterThan(0.5);
  const found = await index.search({ data: rest[9].tokens.data, dims: [TOKENS, DIM] }, { k: 1 });
  expect(found).toMatchObject({ hits: [{ id: 'd49' }] });
  expect((await index.verify()).problems).toEqual([]);
  await index.close();
});

test('data of unit length keeps the mean of its first documents', async () => {
  const storage = memoryStorage();
  const index = await Index.create(storage, { dim: DIM });
  await index.add(documentsOf(3, () => 1));
  const { tokenMean } = await manifestOf(storage);
  await index.add(documentsOf(60, () => 1, 3));
  await index.compact();
  expect((await manifestOf(storage)).tokenMean).toEqual(tokenMean);
  await index.close();
});
