import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Lemur } from '../../dist/entry/node.js';
import { readNpy } from '../../dist/formats/npy/npy.js';

/**
 * Artefacts that txtai 9.14 trained and saved, with the features and document weights that its
 * model gave for these very vectors.
 */
const at = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/txtai/${name}`, import.meta.url));
const npy = async (path: string) => readNpy(await readFile(path));
const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>, scale = 1): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value * scale - b[i])), 0);

describe.each(['mlp', 'centred'])('an artefact that txtai wrote, %s', (name) => {
  test('gives its features and its document weights', async () => {
    const folder = at(name);
    const { queries, docs, config, center } = JSON.parse(
      await readFile(`${folder}/expected.json`, 'utf8'),
    );
    const tokens = async (file: string, counts: number[]) => {
      const { data, shape } = await npy(`${folder}/${file}`);
      return { vectors: data as Float32Array, counts: Int32Array.from(counts), dim: shape[1] };
    };
    const lemur = await Lemur.importTxtai(folder, {
      documents: await tokens('docs.npy', docs),
      ...(center ? { centered: true } : {}),
    });
    const features = await lemur.computeFeatures(await tokens('queries.npy', queries));
    const expectedFeatures = await npy(`${folder}/features.npy`);
    const expectedWeights = await npy(`${folder}/weights.npy`);
    expect(
      largestDifference(features, expectedFeatures.data as Float32Array, 1 / config.queryscale),
    ).toBeLessThan(1e-5);
    expect(largestDifference(await lemur.W, expectedWeights.data as Float32Array)).toBeLessThan(
      1e-4,
    );
  });
});
