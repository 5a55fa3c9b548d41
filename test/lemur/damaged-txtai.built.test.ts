import { describe, expect, test } from 'vitest';
import { isLemurError, Lemur } from '../../dist/entry/node.js';
import { numbers } from '../numbers.js';
import { artefact, DIM, LATENT, safetensors, stored, type Tensors } from './txtai-formulas.js';

describe('what is not an artefact of txtai says which file and why', () => {
  const made = artefact('mlp', 2, 'gelu');
  const config = (change: Record<string, unknown>): string =>
    JSON.stringify({ ...made.config, ...change });
  const tensors = (change: Record<string, Tensors[string] | undefined>): Uint8Array =>
    safetensors(
      Object.fromEntries(
        Object.entries({ ...made.tensors, ...change }).filter(([, tensor]) => tensor),
      ) as Tensors,
    );
  const ones = (...shape: number[]): Tensors[string] => ({
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1),
  });

  test.each([
    ['is not JSON', '{', 'bad-file', /not JSON/],
    ['is a list', '[]', 'bad-file', /expected an object/],
    ['is null', 'null', 'bad-file', /expected an object/],
    [
      'is far too long',
      `"${'x'.repeat(1 << 20)}"`,
      'bad-file',
      /1048578 bytes, expected at most 1048576/,
    ],
    [
      'has names of before the release',
      config({ model_type: 'mlp' }),
      'unsupported',
      /setting 'model_type', expected modeltype, inputdim/,
    ],
    [
      'has an unknown type',
      config({ modeltype: 'transformer' }),
      'unsupported',
      /modeltype is "transformer", expected "mlp" or "elm"/,
    ],
    [
      'has an unknown activation',
      config({ activation: 'tanh' }),
      'unsupported',
      /activation is "tanh", expected one of/,
    ],
    ['has no type', config({ modeltype: undefined }), 'unsupported', /modeltype is missing/],
    [
      'has no dimension',
      config({ inputdim: undefined }),
      'bad-file',
      /inputdim is missing, expected a positive integer/,
    ],
    [
      'has half a layer',
      config({ layers: 1.5 }),
      'bad-file',
      /layers is 1.5, expected a positive integer/,
    ],
    ['has no layer', config({ layers: 0 }), 'bad-file', /layers is 0/],
    [
      'has no scale',
      config({ queryscale: 0 }),
      'bad-file',
      /queryscale is 0, expected a positive number/,
    ],
  ])('a config that %s', async (_what, text, code, message) => {
    const error: unknown = await Lemur.importTxtai(
      await stored(made, { 'config.json': text }),
    ).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code,
      fields: { where: 'artefact/config.json' },
      message: expect.stringMatching(message),
    });
  });

  test.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    [
      'fewer layers than the config',
      { 'config.json': config({ layers: 2_000_000_000 }) },
      /11 tensors, expected 8000000003 for 2000000000 layers/,
    ],
    [
      'other widths than the config',
      { 'config.json': config({ hiddendim: 2 ** 50 }) },
      /0\.weight is F32 \[16,12\], expected F32 \[1125899906842624,12\]/,
    ],
    [
      'random features where the config has none',
      { 'model.safetensors': safetensors(artefact('elm', 1, 'gelu').tensors) },
      /4 tensors, expected 11/,
    ],
    [
      'a tensor under another name',
      { 'model.safetensors': tensors({ 'lemur.std': undefined, 'lemur.sigma': ones(1) }) },
      /no tensor lemur\.std/,
    ],
    [
      'one tensor more',
      { 'model.safetensors': tensors({ 'outputlayer.weight': ones(3, LATENT) }) },
      /12 tensors, expected 11/,
    ],
    [
      'a sample of another dimension',
      { 'model.safetensors': tensors({ 'lemur.sample': ones(5, 9) }) },
      /lemur\.sample is F32 \[5,9\], expected F32 \[rows,12\]/,
    ],
    [
      'an empty sample',
      { 'model.safetensors': tensors({ 'lemur.sample': ones(0, DIM) }) },
      /lemur\.sample is F32 \[0,12\]/,
    ],
    [
      'integers',
      {
        'model.safetensors': tensors({
          'lemur.mean': { dtype: 'I32', shape: [1], data: Int32Array.of(1) },
        }),
      },
      /lemur\.mean is I32 \[1\]/,
    ],
    [
      'no deviation',
      { 'model.safetensors': tensors({ 'lemur.std': { shape: [1], data: Float32Array.of(0) } }) },
      /lemur\.std is 0, expected a positive/,
    ],
    [
      'a NaN',
      {
        'model.safetensors': tensors({
          'lemur.mean': { shape: [1], data: Float32Array.of(Number.NaN) },
        }),
      },
      /lemur\.mean has values that are not finite/,
    ],
    [
      'its end cut off',
      { 'model.safetensors': tensors({}).subarray(0, 4000) },
      /the file is truncated/,
    ],
  ])('tensors with %s', async (_what, changed, message) => {
    const error: unknown = await Lemur.importTxtai(await stored(made, changed)).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({
      code: 'bad-file',
      fields: { where: 'artefact/model.safetensors' },
      message: expect.stringMatching(message),
    });
  });

  test.each(['config.json', 'model.safetensors'])('a folder without %s', async (name) => {
    await expect(Lemur.importTxtai(await stored(made, { [name]: null }))).rejects.toMatchObject({
      code: 'not-found',
      fields: { where: `artefact/${name}` },
    });
  });

  test('bytes changed at random raise nothing but our own errors', async () => {
    const whole = {
      'config.json': Buffer.from(config({})),
      'model.safetensors': Buffer.from(tensors({})),
    };
    const random = numbers(8);
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const name = i % 2 === 0 ? 'config.json' : 'model.safetensors';
      const changed = Buffer.from(whole[name]);
      // the configuration and the header, where the structure is
      const [at, value] = [random.integers(1, 400)[0] + 400, random.integers(1, 127)[0] & 255];
      changed[at % Math.min(changed.length, 800)] = value;
      const outcome: unknown = await Lemur.importTxtai(
        await stored(made, { [name]: changed }),
      ).catch((e: unknown) => e);
      if (outcome instanceof Lemur) outcome.close();
      else {
        expect(isLemurError(outcome), String(outcome)).toBe(true);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});
