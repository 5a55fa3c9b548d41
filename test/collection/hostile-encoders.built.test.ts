import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type EncodedTexts,
  type Encoder,
  Index,
  isLemurError,
  memoryStorage,
  type Storage,
} from '../../dist/entry/node.js';

const DIM = 4;

/** Two vectors for each text, which follow from its letters. */
function encode(texts: readonly string[]): EncodedTexts {
  const counts = new Int32Array(texts.length).fill(2);
  const vectors = new Float32Array(texts.length * 2 * DIM);
  texts.forEach((text, i) => {
    for (let j = 0; j < 2 * DIM; j++)
      vectors[i * 2 * DIM + j] = Math.sin(text.charCodeAt(j % text.length) * (j + 1));
  });
  const offsets = Float64Array.from({ length: texts.length + 1 }, (_, i) => 2 * i);
  return { vectors, counts, offsets, dim: DIM, spans: new Int32Array(4 * texts.length) };
}

type Change = (given: EncodedTexts) => unknown;
function encoder(
  documents: Change = (given) => given,
  queries: Change = (given) => given,
): Encoder {
  return {
    id: 'letters',
    dim: DIM,
    encodeDocument: async (texts) => documents(encode(texts)) as EncodedTexts,
    encodeQuery: async (texts) => queries(encode(texts)) as EncodedTexts,
    close: async () => {},
  };
}

const withValue =
  (value: number): Change =>
  (given) => {
    given.vectors[given.vectors.length - 3] = value;
    return given;
  };
const CHANGES: Record<string, Change> = {
  NaN: withValue(Number.NaN),
  Infinity: withValue(Infinity),
  '-Infinity': withValue(-Infinity),
  '1e38': withValue(1e38),
  nothing: () => undefined,
  null: () => null,
  'a number': () => 5,
  'the vectors alone': ({ vectors }) => vectors,
  'an array of matrices': () => [[[1, 0, 0, 0]]],
  'no vectors': ({ vectors: _, ...given }) => given,
  'vectors of another type': (given) => ({ ...given, vectors: Float64Array.from(given.vectors) }),
  'vectors in an array': (given) => ({ ...given, vectors: [...given.vectors] }),
  'too few vectors': (given) => ({ ...given, vectors: given.vectors.subarray(DIM) }),
  'too many vectors': (given) => ({
    ...given,
    vectors: Float32Array.of(...given.vectors, 1, 0, 0, 0),
  }),
  'vectors that were transferred away': (given) => {
    const vectors = given.vectors.slice();
    structuredClone(vectors.buffer, { transfer: [vectors.buffer] });
    return { ...given, vectors };
  },
  'no counts': ({ counts: _, ...given }) => given,
  'too few counts': (given) => ({ ...given, counts: given.counts.subarray(1) }),
  'a count of 0': (given) => ({
    ...given,
    counts: given.counts.map((count, i) => (i === 0 ? 0 : count)),
  }),
  'a negative count': (given) => ({ ...given, counts: given.counts.map(() => -1) }),
  'counts with a half': (given) => ({ ...given, counts: Array.from(given.counts, () => 1.5) }),
  'counts in words': (given) => ({ ...given, counts: Array.from(given.counts, String) }),
  'another dimension': (given) => ({ ...given, dim: 2 * DIM, counts: given.counts.map(() => 1) }),
  'no dimension': (given) => ({ ...given, dim: Number.NaN }),
  'offsets that are not those of the counts': (given) => ({
    ...given,
    offsets: given.offsets.map((at) => at + 1),
  }),
  'too few offsets': (given) => ({ ...given, offsets: given.offsets.subarray(1) }),
  'offsets that are no array': (given) => ({ ...given, offsets: 5 }),
  'too few spans': (given) => ({ ...given, spans: new Int32Array(2) }),
  'spans in an array': (given) => ({ ...given, spans: [0, 1] }),
  'truncated: NaN': (given) => ({ ...given, truncated: Number.NaN }),
};

async function refusal(call: () => Promise<unknown>): Promise<Error> {
  const error = await call().then(
    () => new Error('it was taken'),
    (reason: Error) => reason,
  );
  expect(isLemurError(error), error.stack).toBe(true);
  return error;
}

/**
 * What a reader of the storage finds: it opens, all checksums are right, and these are its
 * documents.
 */
async function holds(storage: Storage, ids: readonly string[]): Promise<void> {
  const reader = await Index.open(storage, { threads: 1 });
  expect((await reader.verify()).problems).toEqual([]);
  expect(reader.size).toBe(ids.length);
  expect((await reader.get(ids)).map((document) => document?.id)).toEqual(ids);
  await reader.close();
}

describe.each(['int8', 'float32'] as const)('%s', (precision) => {
  test.each(Object.entries(CHANGES))(
    'an encoder that gives %s for documents changes nothing',
    async (_, change) => {
      const storage = memoryStorage();
      let documents: Change = change;
      const index = await Index.create(storage, {
        encoder: encoder((given) => documents(given)),
        precision,
        threads: 1,
      });
      const two = [
        { id: 'one', text: 'abc' },
        { id: 'two', text: 'bcd' },
      ];
      await refusal(() => index.add(two));
      await holds(storage, []);
      documents = (given) => given;
      await index.add(two);
      documents = change;
      await refusal(() => index.add([{ id: 'three', text: 'cde' }]));
      await refusal(() => index.add([{ id: 'one', text: 'cde' }], { onExisting: 'replace' }));
      documents = (given) => given;
      await index.add({ id: 'four', text: 'def' });
      await index.close();
      await holds(storage, ['one', 'two', 'four']);
    },
  );
});

describe('for queries', () => {
  let queries: Change;
  let index: Index;
  beforeAll(async () => {
    const made = encoder(undefined, (given) => queries(given));
    index = await Index.create(memoryStorage(), { encoder: made, features: 'random', threads: 1 });
    const tokens = (i: number): number[][] =>
      Array.from({ length: 3 }, (_, j) => [i % 7, i % 11, i % 13, j].map((n) => Math.sin(n + 1)));
    await index.add(
      Array.from({ length: 600 }, (_, i) => ({
        id: `d${i}`,
        text: `text ${i}`,
        tokens: tokens(i),
      })),
    );
  });
  afterAll(() => index.close());

  test.each(Object.entries(CHANGES))(
    'an encoder that gives %s is refused by search, rerank, fit and tune',
    async (_, change) => {
      queries = change;
      for (const call of [
        () => index.search('abc'),
        () => index.searchBatch(['abc', 'bcd']),
        () => index.rerank('abc', ['d1']),
        () => index.fit({ finalHiddenDim: 8, learn: ['abc', 'bcd'] }),
        () => index.fit({ finalHiddenDim: 8 }),
        () => index.tune({ queries: ['abc'] }),
        () => index.tune({ sample: 3 }),
      ])
        await refusal(call);
      expect(index.stats().fittedDocuments).toBeNull();
    },
  );
});

test('the error names the text, its document, and the row and column within it', async () => {
  const index = await Index.create(memoryStorage(), { encoder: encoder(CHANGES.NaN), threads: 1 });
  const documents = [
    { id: 'ready', tokens: [[1, 0, 0, 0]] },
    { id: 'one', text: 'abc' },
    { id: 'two', text: 'bcd' },
  ];
  expect(await refusal(() => index.add(documents))).toMatchObject({
    code: 'not-finite',
    message:
      'encoder: text 1 (document "two"): value NaN in row 1, column 1; every value must be finite',
    fields: { row: 1, column: 1 },
  });
  const empty = await Index.create(memoryStorage(), {
    encoder: encoder(CHANGES['a count of 0']),
    threads: 1,
  });
  expect(await refusal(() => empty.add(documents))).toMatchObject({
    code: 'empty-document',
    message: 'encoder: text 0 (document "one") got no token vectors; every text needs at least one',
  });
  await index.close();
  await empty.close();
});

test('offsets and spans may be left out, counts may be a plain array', async () => {
  const plain = encoder(({ vectors, counts, dim }) => ({ vectors, counts: [...counts], dim }));
  const index = await Index.create(memoryStorage(), {
    encoder: plain,
    precision: 'float32',
    threads: 1,
  });
  await index.add({ id: 'one', text: 'abc' });
  expect((await index.search('abc')).hits).toMatchObject([{ id: 'one' }]);
  await index.close();
});

test('an encoder may use its array again for the next texts', async () => {
  const shared = new Float32Array(2 * DIM);
  const reuses = encoder((given) => {
    shared.set(given.vectors);
    return { ...given, vectors: shared };
  });
  const texts = ['abc', 'xyz', 'klm'];
  async function* oneByOne() {
    // each goes through the encoder alone
    for (const text of texts) yield { id: text, text, metadata: { filler: 'x' } };
  }
  const scores = async (made: Encoder, bytes: number): Promise<number[]> => {
    const index = await Index.create(memoryStorage(), {
      encoder: made,
      precision: 'int8',
      threads: 1,
    });
    // texts of 4 MiB are encoded alone
    const padded = (async function* () {
      for await (const { id, text } of oneByOne()) yield { id, text: text.padEnd(bytes, ' ') };
    })();
    await index.add(padded);
    const { hits } = await index.search('abc', { include: [] });
    await index.close();
    return hits.map(({ score }) => score);
  };
  const long = 2 ** 21;
  expect(await scores(reuses, long)).toEqual(await scores(encoder(), long));
});

test.each([
  5,
  '',
  {},
  [],
  { id: 'a', dim: 4 },
  { ...encoder(), id: 5 },
  { ...encoder(), dim: '4' },
  { ...encoder(), encodeQuery: 1 },
])('%j is no encoder', async (wrong) => {
  const given = { encoder: wrong as unknown as Encoder };
  expect((await refusal(() => Index.create(memoryStorage(), given))).message).toMatch(
    /^encoder: expected an encoder/,
  );
  expect((await refusal(() => Index.open(memoryStorage(), given))).message).toMatch(
    /^encoder: expected an encoder/,
  );
});
