import { expect, test } from 'vitest';
import { collectionOf } from '../../../dist/collection/index.js';
import { narrow } from '../../../dist/collection/narrow.js';
import { Index, memoryStorage } from '../../../dist/entry/node.js';
import type { Encoder } from '../../../dist/entry/node-encoder.js';
import { project } from '../../../dist/linalg/principal-components.js';
import { numbers } from '../../numbers.js';

const [WIDE, NARROW, TOKENS] = [12, 5, 4];

/**
 * Vectors of a text's own, of unit length times `length`, that have most of what they differ by in
 * few directions.
 */
function encoderOf(id: string, length: number, matrix?: Float32Array): Encoder {
  const encode = async (texts: readonly string[]) => {
    const vectors = new Float32Array(texts.length * TOKENS * WIDE);
    texts.forEach((text, i) => {
      const random = numbers(
        [...text].reduce(
          (hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619) >>> 0,
          7,
        ),
      );
      const own = vectors.subarray(i * TOKENS * WIDE, (i + 1) * TOKENS * WIDE);
      own.set(random.floats(own.length, 1).map((value, at) => value / (1 + (at % WIDE)) ** 2));
      for (let at = 0; at < own.length; at += WIDE) {
        const norm = Math.hypot(...own.subarray(at, at + WIDE)) / length;
        for (let j = 0; j < WIDE; j++) own[at + j] /= norm;
      }
    });
    const counts = Int32Array.from(texts, () => TOKENS);
    const offsets = Float64Array.from({ length: texts.length + 1 }, (_, i) => i * TOKENS);
    if (!matrix) return { vectors, counts, offsets, dim: WIDE };
    return {
      vectors: await project(vectors, WIDE, matrix, NARROW, {}, length === 1),
      counts,
      offsets,
      dim: NARROW,
    };
  };
  return {
    id,
    dim: matrix ? NARROW : WIDE,
    encodeDocument: encode,
    encodeQuery: encode,
    close: async () => {},
  };
}

const textsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `d${i}`,
    text: `text number ${i}`,
    metadata: { i },
  }));

const scores = async (index: Index, question: string) =>
  (await index.search(question, { k: 200, exact: true })).hits.sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );

/** What rounding twice may change of a score, by the tokens of the query. */
const OFF = { float32: 1e-5, int8: 0.02, int4: 0.1, int2: 0.4 };

test.each([
  ['int8', 1],
  ['float32', 1],
  ['int8', 3],
  ['int4', 1],
  ['int2', 1],
] as const)(
  'a narrow collection (%s, vectors of length %d) is one that the narrow encoder has made',
  async (precision, length) => {
    const storage = memoryStorage();
    const index = await Index.create(storage, { encoder: encoderOf('wide', length), precision });
    await index.add(textsOf(100));
    await index.add({ id: 'late', text: 'another' });
    await index.delete('d7');
    const reader = await Index.open(storage, { encoder: encoderOf('wide', length) });
    const before = await scores(reader, 'text number 3');
    let matrix: Float32Array = new Float32Array();
    const open = async (found: Float32Array) => {
      matrix = found;
      return encoderOf('narrow', length, found);
    };
    const { segments } = index.stats();
    await narrow(collectionOf(index), NARROW, open, {});
    expect(index.stats()).toMatchObject({
      dim: NARROW,
      encoder: { id: 'narrow', dim: NARROW },
      documents: 100,
      deleted: 1,
      segments,
    });
    expect((await index.verify()).problems).toEqual([]);
    expect(await index.get('d9')).toEqual({ id: 'd9', text: 'text number 9', metadata: { i: 9 } });

    const made = await Index.create(memoryStorage(), {
      encoder: encoderOf('narrow', length, matrix),
      precision,
    });
    await made.add(textsOf(100).filter(({ id }) => id !== 'd7'));
    await made.add({ id: 'late', text: 'another' });
    const [found, expected] = [
      await scores(index, 'text number 3'),
      await scores(made, 'text number 3'),
    ];
    expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    const off = found.map(
      ({ score }, i) => Math.abs(score - expected[i].score) / (TOKENS * length ** 2),
    );
    expect(Math.max(...off)).toBeLessThan(OFF[precision]);

    // readers keep what they have opened, and hear that it is of another encoder
    expect(await scores(reader, 'text number 3')).toEqual(before);
    await expect(reader.refresh()).rejects.toMatchObject({ code: 'encoder-mismatch' });
    expect(await scores(reader, 'text number 3')).toEqual(before);
    await expect(Index.open(storage, { encoder: encoderOf('wide', length) })).rejects.toMatchObject(
      { code: 'encoder-mismatch' },
    );
    await index.add({ id: 'new', text: 'one more' });
    expect((await index.search('one more', { k: 1 })).hits[0].id).toBe('new');
    await Promise.all([index.close(), made.close(), reader.close()]);
  },
);

test('a model is fitted anew for the narrow vectors', async () => {
  const index = await Index.create(memoryStorage(), {
    encoder: encoderOf('wide', 1),
    features: 'random',
  });
  await index.add(textsOf(120));
  await index.fit({
    epochs: 0,
    finalHiddenDim: 32,
    trainSubsetSize: 16,
    olsSampleSize: 128,
    learnSubsetSize: 128,
  });
  await narrow(collectionOf(index), NARROW, async (found) => encoderOf('narrow', 1, found), {});
  expect(index.stats()).toMatchObject({ features: 'random', fittedDocuments: 120, dim: NARROW });
  expect((await index.search('text number 5', { k: 1, numCandidates: 20 })).hits[0].id).toBe('d5');
  expect((await index.verify()).problems).toEqual([]);
  await index.close();
});

test('where the narrow encoder cannot be had, or the signal aborts, the collection stays as it was', async () => {
  const storage = memoryStorage();
  const index = await Index.create(storage, { encoder: encoderOf('wide', 1) });
  await index.add(textsOf(30));
  const names = await storage.list();
  await expect(
    narrow(collectionOf(index), NARROW, () => Promise.reject(new Error('no such encoder')), {}),
  ).rejects.toThrow('no such encoder');
  const stop = new AbortController();
  const open = async (found: Float32Array) => {
    stop.abort(new Error('enough'));
    return encoderOf('narrow', 1, found);
  };
  await expect(narrow(collectionOf(index), NARROW, open, { signal: stop.signal })).rejects.toThrow(
    'enough',
  );
  expect(index.stats()).toMatchObject({ dim: WIDE, encoder: { id: 'wide' }, documents: 30 });
  expect((await index.search('text number 5', { k: 1 })).hits[0].id).toBe('d5');
  await index.add({ id: 'new', text: 'one more' });
  const added = (await storage.list()).filter((name) => !names.includes(name));
  expect(added.map((name) => name.split('.')[0]).sort()).toEqual(['keywords', 'segment']);
  await index.close();
});
