import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { centerTokens, Lemur, memoryStorage, readTxtaiCenter } from '../../dist/entry/node.js';
import { bytesOf, dot, randomTexts, relativeError, rowsOfTexts, type Texts } from '../numbers.js';
import {
  type Activation,
  type Artefact,
  artefact,
  DIM,
  LATENT,
  QUERY_SCALE,
  safetensors,
  stored,
} from './txtai-formulas.js';

const documents = randomTexts(3, [4, 9, 1, 6, 3, 12, 7, 5], DIM);
const queries = randomTexts(4, [3, 1, 6], DIM);

// what txtai computes, in float64

const erf = (x: number): number => {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 150; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};
const ACTIVATION: Record<Activation, (x: number) => number> = {
  relu: (x) => Math.max(0, x),
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  silu: (x) => x / (1 + Math.exp(-x)),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
};

function layerNorm(x: number[]): number[] {
  const mean = x.reduce((a, b) => a + b) / x.length;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
  return x.map((v) => (v - mean) / Math.sqrt(variance + 1e-5));
}

/** psi of one token. */
function features({ config, tensors }: Artefact, token: ArrayLike<number>): number[] {
  const act = ACTIVATION[config.activation as Activation];
  const values = (name: string): Float32Array =>
    tensors[`featureextractor.${name}`].data as Float32Array;
  let x = Array.from(token);
  if (config.modeltype === 'elm') {
    const weight = values('0.weight');
    const product = Array.from({ length: LATENT }, (_, j) =>
      x.reduce((sum, v, i) => sum + v * weight[i * LATENT + j], 0),
    );
    return layerNorm(product.map((v) => Math.sqrt(2 / LATENT) * act(v)));
  }
  for (let i = 0; i < (config.layers as number); i++) {
    const [weight, bias, gamma, beta] = [
      `${3 * i}.weight`,
      `${3 * i}.bias`,
      `${3 * i + 1}.weight`,
      `${3 * i + 1}.bias`,
    ].map(values);
    const linear = Array.from(bias, (b, o) =>
      x.reduce((sum, v, c) => sum + v * weight[o * x.length + c], b),
    );
    x = layerNorm(linear).map((v, o) => act(v * gamma[o] + beta[o]));
  }
  return x;
}

const queryVector = (made: Artefact, tokens: Float32Array[]): number[] =>
  tokens.map((token) => features(made, token)).reduce((a, b) => a.map((v, i) => v + b[i]));

/**
 * The document's weights: the least-squares solution of least norm, by conjugate gradients from
 * zero.
 */
function weights(made: Artefact, tokens: Float32Array[]): number[] {
  const sample = made.tensors['lemur.sample'].data as Float32Array;
  const x = Array.from({ length: sample.length / DIM }, (_, i) =>
    sample.subarray(i * DIM, (i + 1) * DIM),
  );
  const z = x.map((token) => features(made, token));
  const [mean, std] = ['lemur.mean', 'lemur.std'].map(
    (name) => (made.tensors[name].data as Float32Array)[0],
  );
  const y = x.map((token) => (Math.max(...tokens.map((t) => dot(token, t))) - mean) / std);
  const gradient = (rest: number[]): number[] =>
    Array.from({ length: LATENT }, (_, j) => rest.reduce((sum, v, i) => sum + v * z[i][j], 0));
  const w = new Array<number>(LATENT).fill(0);
  const rest = [...y];
  let s = gradient(rest);
  let p = [...s];
  const first = dot(s, s);
  for (let step = 0, norm = first; step < 2000 && norm > 1e-26 * first; step++) {
    const q = z.map((row) => dot(row, p));
    const alpha = norm / dot(q, q);
    for (let j = 0; j < LATENT; j++) w[j] += alpha * p[j];
    for (let i = 0; i < rest.length; i++) rest[i] -= alpha * q[i];
    s = gradient(rest);
    const next = dot(s, s);
    p = s.map((v, j) => v + (next / norm) * p[j]);
    norm = next;
  }
  return w;
}

describe.each<['mlp' | 'elm', number, Activation]>([
  ['mlp', 1, 'gelu'],
  ['mlp', 1, 'mish'],
  ['mlp', 2, 'silu'],
  ['mlp', 3, 'relu'],
  ['elm', 1, 'gelu'],
  ['elm', 2, 'silu'],
])('an artefact of type %s with %i layers of %s', (type, layers, activation) => {
  const made = artefact(type, layers, activation);
  let lemur: Lemur;
  beforeAll(async () => {
    lemur = await Lemur.importTxtai(await stored(made), { documents });
  });
  afterAll(() => lemur.close());

  test('has its sizes, moments and options', () => {
    expect([lemur.documents, lemur.dim, lemur.latentDim]).toEqual([8, DIM, LATENT]);
    expect([lemur.mean, lemur.std]).toEqual([Math.fround(0.4), Math.fround(0.15)]);
    const { numLayers, finalHiddenDim, olsSampleSize, precision } = lemur.options;
    expect({
      numLayers,
      finalHiddenDim,
      olsSampleSize,
      precision,
      activation: lemur.options.activation,
    }).toEqual({
      numLayers: type === 'elm' ? 1 : layers,
      finalHiddenDim: LATENT,
      olsSampleSize: 120,
      precision: 'float32',
      activation,
    });
    expect(lemur.options.epochs === 0).toBe(type === 'elm');
  });

  test('gives the query vectors and document weights that its formulas give in float64', async () => {
    const expected = rowsOfTexts(queries).flatMap((tokens) => queryVector(made, tokens));
    expect(relativeError(await lemur.computeFeatures(queries), expected)).toBeLessThan(1e-5);
    const solved = rowsOfTexts(documents).flatMap((tokens) => weights(made, tokens));
    expect(relativeError(await lemur.W, solved)).toBeLessThan(1e-4);
    expect(await bytesOf(await lemur.computeWeights(documents))).toBe(await bytesOf(await lemur.W));
  });

  test('ranks as they do', async () => {
    const solved = rowsOfTexts(documents).map((tokens) => weights(made, tokens));
    const { indices, scores } = await lemur.candidates(queries, 8);
    for (const [i, tokens] of rowsOfTexts(queries).entries()) {
      const q = queryVector(made, tokens);
      // txtai divides by its scale and leaves the moments out
      const theirs = solved.map((w) => dot(w, q) / QUERY_SCALE);
      const order = theirs.map((_, d) => d).sort((a, b) => theirs[b] - theirs[a]);
      expect([...indices.subarray(8 * i, 8 * i + 8)]).toEqual(order);
      const estimates = order.map((d) => 0.15 * QUERY_SCALE * theirs[d] + tokens.length * 0.4);
      expect(relativeError(scores.subarray(8 * i, 8 * i + 8), estimates)).toBeLessThan(1e-4);
    }
  });
});

describe('an artefact', () => {
  const made = artefact('mlp', 1, 'gelu');

  test('opened without documents finds none, weighs any, and can be saved and loaded', async () => {
    const lemur = await Lemur.importTxtai(await stored(made));
    expect([lemur.documents, (await lemur.W).length]).toEqual([0, 0]);
    const { indices, scores } = await lemur.candidates(queries, 2);
    expect([[...indices], [...scores]]).toEqual([
      new Array(6).fill(-1),
      new Array(6).fill(-Infinity),
    ]);
    const weighed = await bytesOf(await lemur.computeWeights(documents));
    const storage = memoryStorage();
    await lemur.save(storage);
    const loaded = await Lemur.load(storage);
    expect(await bytesOf(await loaded.computeWeights(documents))).toBe(weighed);
    expect([loaded.documents, loaded.options]).toEqual([0, lemur.options]);
    lemur.close();
    loaded.close();
  });

  test('is opened from a folder by its path', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lemur-txtai-'));
    await writeFile(join(folder, 'config.json'), JSON.stringify(made.config));
    await writeFile(join(folder, 'model.safetensors'), safetensors(made.tensors));
    const lemur = await Lemur.importTxtai(folder, { documents });
    expect(lemur.documents).toBe(8);
    expect(await readTxtaiCenter(folder)).toBeNull();
    lemur.close();
    await rm(folder, { recursive: true });
  });

  test('of half precision is read as what its numbers stand for', async () => {
    const bias = made.tensors['featureextractor.0.bias'].data as Float32Array;
    const upper = Uint16Array.from(
      bias,
      (value) => new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16,
    );
    const kept = Float32Array.from(
      upper,
      (half) => new Float32Array(Uint32Array.of(half << 16).buffer)[0],
    );
    const shape = [LATENT];
    const half = await Lemur.importTxtai(
      await stored({
        ...made,
        tensors: {
          ...made.tensors,
          'featureextractor.0.bias': { dtype: 'BF16', shape, data: upper },
        },
      }),
    );
    const full = await Lemur.importTxtai(
      await stored({
        ...made,
        tensors: { ...made.tensors, 'featureextractor.0.bias': { shape, data: kept } },
      }),
    );
    expect(await bytesOf(await half.computeFeatures(queries))).toBe(
      await bytesOf(await full.computeFeatures(queries)),
    );
    half.close();
    full.close();
  });

  test('refuses documents of another dimension, and an aborted signal', async () => {
    const storage = await stored(made);
    await expect(
      Lemur.importTxtai(storage, { documents: randomTexts(1, [2], 5) }),
    ).rejects.toMatchObject({ code: 'dimension-mismatch' });
    await expect(
      Lemur.importTxtai(storage, { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
  });
});

describe('an artefact with a centre', () => {
  const made = artefact('mlp', 1, 'gelu', true);

  test('is opened only by who says that the tokens are centred', async () => {
    const storage = await stored(made);
    await expect(Lemur.importTxtai(storage, { documents })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(
        /artefact has a centre: got centered undefined, expected true.*centerTokens/,
      ),
    });
    const center = (await readTxtaiCenter(storage)) as Float32Array;
    expect(center).toEqual(made.tensors['lemur.center'].data);
    const centered = await centerTokens(documents, center);
    const lemur = await Lemur.importTxtai(storage, { documents: centered, centered: true });
    const solved = rowsOfTexts({ ...documents, vectors: centered.vectors }).flatMap((tokens) =>
      weights(made, tokens),
    );
    expect(relativeError(await lemur.W, solved)).toBeLessThan(1e-4);
    lemur.close();
  });

  test('is centred by taking its mean off every row and making it of unit length, zero rows aside', async () => {
    const center = made.tensors['lemur.center'].data as Float32Array;
    const texts: Texts = { ...queries, vectors: queries.vectors.slice() };
    texts.vectors.fill(0, DIM, 2 * DIM); // padding
    texts.vectors.set(center, 2 * DIM); // nothing but the mean
    const { vectors, counts, dim } = await centerTokens(texts, center);
    expect([[...counts], dim]).toEqual([queries.counts, DIM]);
    const expected = rowsOfTexts(texts)
      .flat()
      .flatMap((row, i) => {
        const moved = Array.from(row, (v, c) => v - center[c]);
        return moved.map((v) => (i === 1 || i === 2 ? 0 : v / Math.sqrt(dot(moved, moved))));
      });
    expect(relativeError(vectors, expected)).toBeLessThan(1e-6);
    await expect(centerTokens(queries, center.slice(1))).rejects.toMatchObject({
      code: 'dimension-mismatch',
    });
    await expect(centerTokens(queries, Float32Array.of(Number.NaN))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});
