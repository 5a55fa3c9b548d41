import { beforeAll, describe, expect, test } from 'vitest';
import { crc32 } from '../../dist/bytes/crc32.js';
import { Lemur, memoryStorage, type Storage } from '../../dist/entry/node.js';
import {
  type SafetensorsArray,
  writeSafetensors,
} from '../../dist/formats/safetensors/safetensors.js';
import { QUICK, small } from './corpus.js';

// biome-ignore lint/suspicious/noExplicitAny: each test changes it in a way that its type forbids
type Manifest = any;
type Tensors = Record<string, { data: SafetensorsArray; shape: number[] }>;

const saved = memoryStorage('saved');
beforeAll(async () => {
  const lemur = await Lemur.fit(small, QUICK);
  await lemur.save(saved);
  lemur.close();
});

/**
 * What loading says of the folder with another manifest, and with another solver's file that the
 * manifest agrees with.
 */
async function refusal(change: (manifest: Manifest) => void, solver?: Tensors): Promise<unknown> {
  const storage: Storage = memoryStorage('damaged');
  for (const name of await saved.list()) await storage.write(name, await saved.read(name));
  // as version 1 was, which had no checksum of its own
  const manifest: Manifest = {
    format: 'lemur',
    version: 1,
    ...JSON.parse(new TextDecoder().decode(await saved.read('lemur.json'))).lemur,
  };
  if (solver) {
    const bytes = writeSafetensors(solver);
    await storage.write(manifest.files.solver.name, bytes);
    Object.assign(manifest.files.solver, { bytes: bytes.length, crc32: crc32(bytes) });
  }
  change(manifest);
  await storage.write(
    'lemur.json',
    new TextEncoder().encode(JSON.stringify(manifest).replace('"Infinity"', '1e400')),
  );
  return Lemur.load(storage).then(
    (lemur) => lemur.close(),
    (error: unknown) => error,
  );
}

const unprintable = { toString: 1, valueOf: 1 };

describe('a saved folder is refused', () => {
  test.each<[string, (manifest: Manifest) => void]>([
    ['widths that are a number', (m) => (m.featureMap.widths = 5)],
    ['widths that only look like a list', (m) => (m.featureMap.widths = { length: 1, 0: 48 })],
    ['a feature map that is null', (m) => (m.featureMap = null)],
    [
      'random features of two layers',
      (m) => Object.assign(m.featureMap, { kind: 'random', widths: [48, 48] }),
    ],
    ['a file name that is a list', (m) => (m.files.model.name = [m.files.model.name])],
    ['a file name that cannot become a string', (m) => (m.files.model.name = unprintable)],
    ['a length that cannot become a string', (m) => (m.files.model.bytes = unprintable)],
    ['options that are null', (m) => (m.options = null)],
    ['an option that is missing', (m) => delete m.options.precision],
    ['an option of another kind', (m) => (m.options.precision = 'int5')],
    ['an option that cannot become a string', (m) => (m.options.lr = unprintable)],
    ['a deviation that is a string', (m) => (m.std = '0.5')],
    ['a deviation beyond float64', (m) => (m.std = 'Infinity')],
    ['a save that cannot be counted on', (m) => (m.save = 1e300)],
  ])('for %s in its manifest', async (_what, change) => {
    expect(await refusal(change)).toMatchObject({
      code: 'bad-file',
      fields: { where: 'damaged/lemur.json' },
    });
  });

  test('as unsupported for a version that cannot become a string', async () => {
    expect(await refusal((manifest) => (manifest.version = unprintable))).toMatchObject({
      code: 'unsupported',
    });
  });

  const factor = { data: new Float64Array(48 * 48), shape: [48, 48] };
  test.each<[string, Tensors]>([
    [
      'of another type',
      { sample: { data: new BigInt64Array(400 * 16), shape: [400, 16] }, factor },
    ],
    [
      'that does not divide into rows',
      { sample: { data: new Float32Array(400 * 16 + 1), shape: [400 * 16 + 1] }, factor },
    ],
    ['without a row', { sample: { data: new Float32Array(0), shape: [0, 16] }, factor }],
  ])('for a solve sample %s, though length and checksum are right', async (_what, solver) => {
    expect(await refusal(() => {}, solver)).toMatchObject({
      code: 'bad-file',
      fields: { where: 'damaged/lemur-solver.1.safetensors' },
    });
  });
});
