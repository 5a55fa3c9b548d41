import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as EncoderModule from '../../dist/entry/node-encoder.js';
import { readNpy } from '../../dist/formats/npy/npy.js';
import { readSafetensors } from '../../dist/formats/safetensors/safetensors.js';
import { writeFiles } from './small-checkpoint.js';

const { loadEncoder } = (await import(
  new URL('../../dist/entry/node-encoder.js', import.meta.url).href
)) as typeof EncoderModule;

/**
 * Folders that PyLate, Sentence Transformers 6 and PyLate's exporter wrote, with what these
 * libraries gave (scripts/reference/pack-checkpoint.mjs).
 */
const FIXTURES = fileURLToPath(new URL('../fixtures/checkpoints', import.meta.url));
const names = (await readdir(FIXTURES))
  .filter((name) => name.endsWith('.gz'))
  .map((name) => basename(name, '.safetensors.gz'));
/** Of the vectors' columns every so many-th is in the fixtures. */
const STRIDE = 32;
/** Largest difference of a value of a vector of unit length. */
const TOLERANCE = 1e-5;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lemur-written-'));
});
afterAll(() => rm(root, { recursive: true }));

test('there are checkpoints to compare with', () => {
  expect(names.length).toBeGreaterThan(5);
});

describe.each(names)('%s', (name) => {
  let folder: string;
  beforeAll(async () => {
    const { tensors } = readSafetensors(
      new Uint8Array(gunzipSync(await readFile(join(FIXTURES, `${name}.safetensors.gz`)))),
    );
    const files = Object.fromEntries(
      [...tensors].map(([file, { bytes }]) => [file, new Uint8Array(bytes)]),
    );
    folder = await writeFiles(join(root, name), files);
  });
  const json = async (file: string) => JSON.parse(await readFile(join(folder, file), 'utf8'));

  test.each(['node', 'web'] as const)(
    'gives as many vectors as the library for each text, and the same ones, on onnxruntime-%s',
    async (runtime) => {
      const encoder = await loadEncoder(folder, { runtime });
      try {
        const texts: string[] = await json('texts.json');
        for (const kind of ['query', 'document'] as const) {
          const { vectors, counts, dim, spans } = await (kind === 'query'
            ? encoder.encodeQuery(texts)
            : encoder.encodeDocument(texts));
          expect([...counts]).toEqual(await json(`expected-${kind}.json`));
          const { data, shape } = readNpy(await readFile(join(folder, `expected-${kind}.npy`)));
          expect(shape[0]).toBe(vectors.length / dim);
          const differences = Array.from(data as Float32Array, (value, i) =>
            Math.abs(value - vectors[Math.floor(i / shape[1]) * dim + (i % shape[1]) * STRIDE]),
          );
          expect(Math.max(...differences)).toBeLessThan(TOLERANCE);
          expect(spans?.length).toBe(2 * shape[0]);
        }
      } finally {
        await encoder.close();
      }
    },
  );
});
