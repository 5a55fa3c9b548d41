import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lemur, memoryStorage, type Storage } from '../../dist/entry/node.js';
import {
  bytes,
  global,
  ordered,
  pickle,
  storage,
  tensor,
  text,
  torchFile,
  tuple,
} from '../formats/torch/torch-bytes.js';
import { corpus, part, queries } from '../lemur/corpus.js';
import { mutations, refusals } from '../mutations.js';
import { bytesOf, relativeError } from '../numbers.js';
import { floats, integers, scalars } from './fixtures.js';

const folder = fileURLToPath(new URL('../fixtures/parity/reference_index', import.meta.url));
const files = {
  'mlp.pt': readFileSync(`${folder}/mlp.pt`),
  'w.pt': readFileSync(`${folder}/w.pt`),
};
const { dim, hidden } = scalars;

/** The tokens that the reference solved on. */
const sample = (): { vectors: Float32Array; counts: number[]; dim: number } => {
  const rows = integers('learn_rows');
  const train = floats('train');
  const vectors = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries())
    vectors.set(train.subarray(row * dim, (row + 1) * dim), i * dim);
  return { vectors, counts: [rows.length], dim };
};

async function stored(
  changed: Partial<Record<'mlp.pt' | 'w.pt', Uint8Array>> = {},
): Promise<Storage> {
  const storage = memoryStorage('index');
  for (const [name, data] of Object.entries({ ...files, ...changed }))
    await storage.write(name, data);
  return storage;
}

const raw = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

describe("the reference's own folder", () => {
  let lemur: Lemur;
  beforeAll(async () => {
    lemur = await Lemur.importReference(folder);
  });
  afterAll(() => lemur.close());

  test('has its sizes, moments and options', () => {
    expect([lemur.documents, lemur.dim, lemur.latentDim]).toEqual([scalars.documents, dim, hidden]);
    expect([lemur.mean, lemur.std]).toEqual(
      [scalars.mean, scalars.std].map((value) => expect.closeTo(value, 7)),
    );
    expect(lemur.options).toMatchObject({
      numLayers: 1,
      hiddenDim: 512,
      finalHiddenDim: hidden,
      activation: 'gelu',
      precision: 'float32',
    });
  });

  test('has the weights of the parity files to the bit', async () => {
    expect(await lemur.W).toEqual(floats('weights'));
  });

  test('gives the features, scores and candidates of the parity files', async () => {
    const features = (await lemur.computeFeatures(queries)).map(
      (value) => value / scalars.query_feature_scale,
    );
    expect(relativeError(features, floats('query_features'))).toBeLessThan(1e-5);
    const { indices, scores } = await lemur.candidates(queries, 50);
    const expected = floats('scores');
    const theirs = [...indices].map((d, i) => expected[Math.floor(i / 50) * lemur.documents + d]);
    const ours = scores.map(
      (s, i) =>
        (s - queries.counts[Math.floor(i / 50)] * lemur.mean) /
        lemur.std /
        scalars.query_feature_scale,
    );
    expect(relativeError(ours, theirs)).toBeLessThan(1e-4);
    const candidates = integers('candidates');
    for (let q = 0; q < queries.counts.length; q++) {
      const found = new Set(indices.subarray(q * 50, (q + 1) * 50));
      const wanted = [...candidates.subarray(q * 50, (q + 1) * 50)];
      const row = expected.subarray(q * lemur.documents, (q + 1) * lemur.documents);
      const cut = Math.min(...wanted.map((d) => row[d]));
      for (const d of wanted) if (!found.has(d)) expect(row[d] - cut).toBeLessThan(1e-6);
    }
  });

  test('says that weights of further documents and saving need a sample, and writes nothing', async () => {
    const target = memoryStorage();
    for (const call of [() => lemur.computeWeights(part(corpus, 0, 2)), () => lemur.save(target)]) {
      await expect(call()).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringMatching(/solve sample.*importReference/),
      });
    }
    expect(await target.list()).toEqual([]);
  });

  test('with a sample gives every document the weights of the reference, and can be saved and loaded', async () => {
    const solved = await Lemur.importReference(await stored(), { sample: sample() });
    const weights = await solved.computeWeights(corpus);
    expect(relativeError(weights, floats('weights'))).toBeLessThan(1e-4);
    const saved = memoryStorage();
    await solved.save(saved);
    const loaded = await Lemur.load(saved);
    expect(await bytesOf(await loaded.W)).toBe(await bytesOf(floats('weights')));
    expect(await bytesOf(await loaded.computeWeights(corpus))).toBe(await bytesOf(weights));
    expect(loaded.options).toEqual(solved.options);
    solved.close();
    loaded.close();
  });

  test('refuses a sample of another dimension, missing files and anything damaged, by the name of the file', async () => {
    await expect(
      Lemur.importReference(folder, { sample: part({ ...corpus, dim: 64 }, 0, 2) }),
    ).rejects.toMatchObject({
      code: 'dimension-mismatch',
    });
    await expect(Lemur.importReference(`${folder}-not-there`)).rejects.toMatchObject({
      code: 'not-found',
    });
    for (const name of ['mlp.pt', 'w.pt'] as const) {
      const cut = await stored({ [name]: files[name].subarray(0, 70_000) });
      await expect(Lemur.importReference(cut)).rejects.toMatchObject({
        code: 'bad-file',
        fields: { where: `index/${name}` },
      });
      const flipped = Uint8Array.from(files[name]);
      flipped[60_000] ^= 4;
      await expect(Lemur.importReference(await stored({ [name]: flipped }))).rejects.toThrow(
        `index/${name}: not a valid zip file: the checksum`,
      );
    }
  });

  test('refuses a pickle that would run something', async () => {
    const evil = torchFile(pickle(global('os', 'system'), tuple(text('id')), 'R'));
    await expect(Lemur.importReference(await stored({ 'mlp.pt': evil }))).rejects.toThrow(
      /index\/mlp\.pt.*asks for os\.system/,
    );
    await expect(Lemur.importReference(await stored({ 'w.pt': evil }))).rejects.toThrow(
      /index\/w\.pt.*asks for os\.system/,
    );
  });
});

describe('an index of random features', () => {
  const weight = floats('elm_weight');
  const w = floats('elm_weights');
  const model = (config: Uint8Array): Uint8Array => {
    const state = bytes(
      ordered,
      '(',
      bytes(
        text('feature_extractor.0.weight'),
        tensor(storage('FloatStorage', '0', weight.length), 0, [dim, hidden], [hidden, 1]),
      ),
      bytes(
        text('output_layer.weight'),
        tensor(storage('FloatStorage', '1', w.length), 0, [w.length / hidden, hidden], [hidden, 1]),
      ),
      'u',
    );
    const moments = bytes(
      text('output_mean'),
      'G',
      0x3f,
      0xe0,
      0,
      0,
      0,
      0,
      0,
      0,
      text('output_std'),
      'G',
      0x3f,
      0xd0,
      0,
      0,
      0,
      0,
      0,
      0,
    );
    return torchFile(
      pickle('}(', text('state_dict'), state, text('config'), config, moments, 'u'),
      { 0: raw(weight), 1: raw(w) },
    );
  };
  const config = (type: string, activation: string, inputs = dim): Uint8Array =>
    bytes(
      bytes(
        '}(',
        text('model_type'),
        text(type),
        text('input_dim'),
        'M',
        inputs & 255,
        inputs >> 8,
        text('output_dim'),
        'K',
        w.length / hidden,
      ),
      bytes(
        text('final_hidden_dim'),
        'M',
        hidden & 255,
        hidden >> 8,
        text('activation'),
        text(activation),
        'u',
      ),
    );
  const weights = torchFile(
    pickle(
      tensor(storage('FloatStorage', '0', w.length), 0, [w.length / hidden, hidden], [hidden, 1]),
    ),
    {
      0: raw(w),
    },
  );

  test('gives the features of the parity files', async () => {
    const lemur = await Lemur.importReference(
      await stored({ 'mlp.pt': model(config('elm', 'gelu')), 'w.pt': weights }),
    );
    const { vectors } = sample();
    const tokens = {
      vectors: vectors.slice(0, 64 * dim),
      counts: new Array<number>(64).fill(1),
      dim,
    };
    expect(relativeError(await lemur.computeFeatures(tokens), floats('elm_features'))).toBeLessThan(
      1e-5,
    );
    expect([lemur.mean, lemur.std, lemur.options.epochs]).toEqual([0.5, 0.25, 0]);
    expect(await lemur.W).toEqual(w);
    lemur.close();
  });

  test.each([
    ['an unknown type', config('transformer', 'gelu'), 'unsupported'],
    ['an unknown activation', config('elm', 'tanh'), 'unsupported'],
    ['sizes that are not those of its tensors', config('elm', 'gelu', 64), 'bad-file'],
    ['a config that is a list', bytes(']'), 'bad-file'],
  ])('is refused with %s', async (_what, described, code) => {
    await expect(
      Lemur.importReference(await stored({ 'mlp.pt': model(described), 'w.pt': weights })),
    ).rejects.toMatchObject({ code });
  });

  test('raises nothing but our own errors when its files are mutated', async () => {
    const small = torchFile(pickle('}', text('W'), ordered, 's'));
    const open = async (file: Uint8Array): Promise<void> =>
      (await Lemur.importReference(await stored({ 'w.pt': file }))).close();
    expect(await refusals(mutations(small, 200, 6), open)).toBe(200);
  });
});
