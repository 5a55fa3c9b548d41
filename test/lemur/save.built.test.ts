import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lemur, memoryStorage } from '../../dist/entry/node.js';
import { LEMUR, runScript } from '../run-script.js';
import { QUICK, small, smallQueries } from './corpus.js';
import { added, answers } from './saved-answers.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('what is saved', () => {
  test.each([
    ['trained', { ...QUICK, seed: 3 }],
    [
      'three layers, mish, no clipping',
      { ...QUICK, numLayers: 3, activation: 'mish' as const, gradClip: null, finalHiddenDim: null },
    ],
    ['random features', { ...QUICK, epochs: 0, activation: 'relu' as const }],
  ])('is the same when loaded, with any number of threads: %s', async (_name, options) => {
    const lemur = await Lemur.fit(small, options);
    const storage = memoryStorage();
    await lemur.save(storage);
    const expected = await answers(lemur);
    for (const threads of [1, 2]) {
      const loaded = await Lemur.load(storage, { threads });
      expect(await answers(loaded)).toEqual(expected);
      loaded.close();
    }
    lemur.close();
  });

  test('is the same in another process: documents added there get the bytes they would have got here', async () => {
    const path = join(folder, 'other-process');
    const lemur = await Lemur.fit(small, QUICK);
    await lemur.save(path);
    const { code, stdout, stderr } = await runScript(
      `
      import { createHash } from 'node:crypto';
      import { Lemur } from ${LEMUR};
      const hash = (values) => createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');
      const [path, added, queries] = process.argv.slice(-3);
      const texts = ({ vectors, counts, dim }) => ({ vectors: Float32Array.from(vectors), counts, dim });
      const lemur = await Lemur.load(path);
      const { indices, scores } = await lemur.candidates(texts(JSON.parse(queries)), 12);
      console.log(JSON.stringify({
        w: hash(await lemur.W),
        features: hash(await lemur.computeFeatures(texts(JSON.parse(queries)))),
        added: hash(await lemur.computeWeights(texts(JSON.parse(added)))),
        candidates: [hash(indices), hash(scores)],
      }));`,
      path,
      ...[added, smallQueries].map((texts) =>
        JSON.stringify({ ...texts, vectors: [...texts.vectors] }),
      ),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { w, features, added: weights, candidates } = await answers(lemur);
    expect(JSON.parse(stdout)).toEqual({ w, features, added: weights, candidates });
    lemur.close();
  });

  test('takes the place of what was saved there before, of which no file stays', async () => {
    const path = join(folder, 'twice');
    const first = await Lemur.fit(small, QUICK);
    const second = await Lemur.fit(small, { ...QUICK, seed: 9, finalHiddenDim: 32 });
    await first.save(path);
    const files = (await readdir(path)).length;
    await second.save(path);
    await second.save(path);
    expect((await readdir(path)).length).toBe(files);
    const loaded = await Lemur.load(path);
    expect(await answers(loaded)).toEqual(await answers(second));
    for (const lemur of [first, second, loaded]) lemur.close();
  });

  test('can be loaded while the one that saved it is still open, and saved again from there', async () => {
    const [here, there] = [memoryStorage(), memoryStorage()];
    const lemur = await Lemur.fit(small, QUICK);
    await lemur.save(here);
    const loaded = await Lemur.load(here);
    lemur.close();
    await loaded.save(there);
    await loaded.save(here);
    const again = await Lemur.load(there);
    expect(await answers(again)).toEqual(await answers(loaded));
    for (const name of await there.list()) {
      if (name.startsWith('lemur-model'))
        expect((await there.read(name)).length).toBeGreaterThan(0);
    }
    loaded.close();
    again.close();
  });
});

test('loading reads data files in parts, never one as a whole', async () => {
  const lemur = await Lemur.fit(small, QUICK);
  const storage = memoryStorage();
  await lemur.save(storage);
  const whole: string[] = [];
  const read = (file: string): Promise<Uint8Array> => {
    whole.push(file);
    return storage.read(file);
  };
  const loaded = await Lemur.load({ ...storage, read });
  expect(whole).toEqual(['lemur.json']);
  expect(await answers(loaded)).toEqual(await answers(lemur));
  lemur.close();
  loaded.close();
});
