import { describe, expect, test } from 'vitest';
import type { IndexManifest } from '../../../dist/collection/files/manifest.js';
import type { Transaction } from '../../../dist/collection/files/transaction.js';
import { fitAfterAdd, fitIsDue, isPutOff } from '../../../dist/collection/learn/automatic-fit.js';
import {
  type Encoder,
  Index,
  type IndexDocument,
  LemurError,
  memoryStorage,
  type Progress,
  type TokenMatrix,
} from '../../../dist/entry/node.js';

const DIM = 2;
const good = (id: string): IndexDocument => ({ id, tokens: [[1, id.length]] });
const BAD: Record<string, [IndexDocument, string]> = {
  'a vector that is not finite': [
    { id: 'b', tokens: { data: Float32Array.of(1, Number.NaN), dims: [1, DIM] } },
    'not-finite',
  ],
  'nested numbers that are not finite': [
    { id: 'b', tokens: [[1, Number.POSITIVE_INFINITY]] },
    'not-finite',
  ],
  'another dimension': [{ id: 'b', tokens: [[1, 2, 3]] }, 'dimension-mismatch'],
  'rows of two lengths': [{ id: 'b', tokens: [[1, 2], [1]] }, 'dimension-mismatch'],
  'no vectors': [{ id: 'b', tokens: [] }, 'empty-document'],
  'a text without an encoder': [{ id: 'b', text: 'text' }, 'invalid-argument'],
  'metadata that is no JSON': [
    { id: 'b', tokens: [[1, 2]], metadata: { at: new Date(0) } },
    'invalid-argument',
  ],
  'no id': [{ id: '', tokens: [[1, 2]] }, 'invalid-argument'],
};
const create = (encoder?: Encoder): Promise<Index> =>
  Index.create(memoryStorage(), encoder ? { encoder, threads: 1 } : { dim: DIM, threads: 1 });
const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'resolved',
    (error: unknown) => error,
  );
/** Gives every text a vector, and notes what it is asked. */
const counting = (asked: number[]): Encoder => ({
  id: 'counting',
  dim: DIM,
  encodeQuery: () => Promise.reject(new Error('not asked')),
  async encodeDocument(texts) {
    asked.push(texts.length);
    const offsets = Float64Array.from({ length: texts.length + 1 }, (_, i) => i);
    return {
      vectors: new Float32Array(DIM * texts.length).fill(1),
      counts: new Int32Array(texts.length).fill(1),
      offsets,
      dim: DIM,
    };
  },
  close: async () => {},
});

describe.each(Object.entries(BAD))('%s', (_, [bad, code]) => {
  test('in an array is refused before anything of it is committed, also behind an id that comes twice', async () => {
    const index = await create();
    const error = await failure(
      index.add([good('a'), good('bb'), good('a'), bad], { onExisting: 'replace' }),
    );
    expect(error).toMatchObject({ code });
    expect((error as LemurError).committed ?? 0).toBe(0);
    expect(index.size).toBe(0);
    await index.close();
  });

  test('that comes one by one ends the add, and the error says how many are safe', async () => {
    const index = await create();
    async function* source() {
      yield good('a');
      yield good('bb');
      // what replaces one of the same add has those before it committed
      yield good('a');
      yield bad;
    }
    const error = await failure(index.add(source(), { onExisting: 'replace' }));
    expect(error).toMatchObject({ code, committed: 2 });
    expect(index.size).toBe(2);
    await index.close();
  });
});

test('an array with texts is checked before its texts are encoded', async () => {
  const asked: number[] = [];
  const index = await create(counting(asked));
  const texts = Array.from({ length: 300 }, (_, i) => ({ id: `t${i}`, text: 'text' }));
  await expect(
    index.add([...texts, { id: 'last', tokens: [[Number.NaN, 1]] }]),
  ).rejects.toMatchObject({ code: 'not-finite' });
  expect(asked).toEqual([]);
  await index.close();
});

test('a source’s own error, and the reason of a signal, stay what they are', async () => {
  const index = await create();
  const own = new Error('of the source');
  async function* broken() {
    yield good('a');
    throw own;
  }
  expect(await failure(index.add(broken()))).toBe(own);
  const reason = new LemurError('invalid-argument', 'of the caller', { where: 'caller' });
  const controller = new AbortController();
  async function* stopped() {
    yield good('a');
    controller.abort(reason);
    yield good('b');
  }
  expect(await failure(index.add(stopped(), { signal: controller.signal }))).toBe(reason);
  expect(reason.committed).toBeUndefined();
  await index.close();
});

test('progress tells of every batch that is encoded, and then of what is safe', async () => {
  const index = await create(counting([]));
  const seen: Progress[] = [];
  const texts = Array.from({ length: 700 }, (_, i) => ({ id: `t${i}`, text: 'text' }));
  await index.add(texts, { onProgress: (progress) => seen.push({ ...progress }) });
  expect(seen).toEqual([
    { stage: 'add', done: 0, total: 700 },
    { stage: 'encode', done: 256, total: 700 },
    { stage: 'encode', done: 512, total: 700 },
    { stage: 'encode', done: 700, total: 700 },
    { stage: 'add', done: 700, total: 700 },
  ]);
  await index.close();
});

describe('a fit at the end of an add', () => {
  const manifest = { features: 'auto', model: null } as IndexManifest;

  test('is due from 4,096 documents on, and where these gave nothing to learn, from twice as many', () => {
    expect([4095, 4096].map((live) => fitIsDue(manifest, live))).toEqual([false, true]);
    const unfit = { ...manifest, unfit: { documents: 5000, why: 'all are the same' } };
    expect([5001, 9999, 10_000].map((live) => fitIsDue(unfit, live))).toEqual([false, false, true]);
    expect(fitIsDue({ ...manifest, features: 'exact' }, 10_000)).toBe(false);
  });

  test('that a full disk cannot keep fails no add, and is tried again when the collection has grown by an eighth', async () => {
    const store = {
      storage: {},
      snapshot: { live: 8000 },
      discard: async () => {},
    } as unknown as Transaction;
    expect(isPutOff(store, 8000)).toBe(false);
    const full = new LemurError('storage-failed', 'no space left on the device', { where: 'here' });
    expect(await fitAfterAdd(store, () => Promise.reject(full))).toBeUndefined();
    expect([8000, 8999, 9000].map((live) => isPutOff(store, live))).toEqual([true, true, false]);
  });

  test('that can learn nothing is noted in the collection, and says why once', async () => {
    let noted = manifest;
    let discarded = 0;
    const store = {
      snapshot: { live: 5000 },
      discard: async () => void discarded++,
      commit: async (change: (before: IndexManifest) => IndexManifest) => {
        noted = change(noted);
      },
    } as unknown as Transaction;
    const refused = new LemurError('invalid-argument', 'all documents are the same', {
      where: 'fit',
    });
    expect(await fitAfterAdd(store, () => Promise.reject(refused))).toBe(
      'all documents are the same',
    );
    expect(noted.unfit).toEqual({ documents: 5000, why: 'all documents are the same' });
    expect(discarded).toBe(1);
    expect(await fitAfterAdd(store, async () => {})).toBeUndefined();
    for (const error of [new Error('else'), new LemurError('closed', 'closed', { where: 'Index' })])
      await expect(fitAfterAdd(store, () => Promise.reject(error))).rejects.toBe(error);
  });
});

test.each<[string, (row: Float32Array, values: number[]) => TokenMatrix]>([
  ['an array', (row) => ({ data: row, dims: [1, 4] })],
  ['a row that is an array', (row) => [row]],
  ['a row of numbers', (_, values) => [values]],
])('a source may use %s again for its next document', async (_, tokensOf) => {
  const index = await Index.create(memoryStorage(), { dim: 4, precision: 'float32', threads: 1 });
  await index.add(
    (function* () {
      const row = new Float32Array(4);
      const values = [0, 0, 0, 0];
      const tokens = tokensOf(row, values);
      for (let i = 0; i < 4; i++) {
        row.fill(0)[i] = 1;
        values.fill(0)[i] = 1;
        yield { id: `${i}`, tokens };
      }
    })(),
  );
  const query = [[4, 3, 2, 1]];
  expect((await index.search(query)).hits.map(({ id, score }) => [id, score])).toEqual([
    ['0', 4],
    ['1', 3],
    ['2', 2],
    ['3', 1],
  ]);
  await index.close();
});

test('fit and tune refuse what is no set of queries, and a fit of vectors that are zero says so', async () => {
  const index = await Index.create(memoryStorage(), { dim: 4, features: 'random', threads: 1 });
  const fit = { epochs: 0, finalHiddenDim: 4, olsSampleSize: 8 };
  const zeros = (id: string) => ({ id, tokens: [[0, 0, 0, 0]] });
  await index.add(['a', 'b', 'c'].map(zeros));
  await expect(index.fit(fit)).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('zero throughout'),
  });
  expect((await index.search([[1, 0, 0, 0]])).hits).toHaveLength(3);
  await index.add(
    Array.from({ length: 12 }, (_, i) => ({ id: `${i}`, tokens: [[1, i, i % 3, i % 5]] })),
  );
  await index.fit(fit);
  for (const wrong of ['', 0, false, Number.NaN] as unknown as TokenMatrix[]) {
    await expect(index.tune({ queries: wrong as never })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await expect(index.fit({ ...fit, learn: wrong as never })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  }
  await index.close();
});
