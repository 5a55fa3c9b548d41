import { describe, expect, test } from 'vitest';
import type { BertConfig } from '../../src/encoder/bert-config.js';
import { bertWeights } from '../../src/encoder/bert-weights.js';
import type { Body, IdBatch, Projection } from '../../src/encoder/body.js';
import { makeBody } from '../../src/encoder/make-body.js';
import { rangesOf } from '../../src/formats/byte-ranges.js';
import { openSafetensors } from '../../src/formats/safetensors-file.js';
import { plainBert } from './plain-bert.js';
import { smallBert } from './small-bert.js';

/** Largest difference of a state from float64, where states are of order 1. */
const TOLERANCE = 1e-5;

function texts(...lengths: number[]): IdBatch {
  const ids = lengths.flatMap((length, text) => Array.from({ length }, (_, t) => (17 * t + 5 * text + t * t) % 50));
  return { ids: Int32Array.from(ids), lengths: Int32Array.from(lengths) };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a, (v, i) => Math.abs(v - b[i])).reduce((x, y) => Math.max(x, y), 0);
}

describe.each(['onnxruntime-web', 'onnxruntime-node'] as const)('the body in %s', (name) => {
  async function body({ config, file }: { config: BertConfig; file: Uint8Array }, projection?: Projection): Promise<Body> {
    return makeBody({ kind: 'start', package: name, threads: 1, config, where: 'test', projection }, await openSafetensors(rangesOf(file)));
  }

  async function reference({ config, file }: { config: BertConfig; file: Uint8Array }, { ids, lengths }: IdBatch): Promise<Float64Array[]> {
    const weights = bertWeights(await openSafetensors(rangesOf(file)), config, 'test');
    let at = 0;
    const texts: Float64Array[][] = [];
    for (const length of lengths) {
      texts.push(await plainBert(config, weights, [...ids.slice(at, at + length)]));
      at += length;
    }
    return texts.flat();
  }

  test.each([
    ['gelu', ''],
    ['relu', 'bert.'],
  ])('agrees with the plain formulas (%s, names with prefix "%s")', async (hidden_act, prefix) => {
    const model = smallBert({ hidden_act }, prefix);
    const batch = texts(9, 7, 3, 2, 1);
    const { states, pooled } = await (await body(model)).run(batch, true);
    const expected = await reference(model, batch);
    expect(
      largestDifference(
        states,
        expected.flatMap((row) => [...row]),
      ),
    ).toBeLessThan(TOLERANCE);
    const firstMean = Array.from(expected[0], (_, c) => expected.slice(0, 9).reduce((sum, row) => sum + row[c], 0) / 9);
    expect(largestDifference(pooled.subarray(0, 48), firstMean)).toBeLessThan(TOLERANCE);
    expect(pooled.length).toBe(5 * 48);
  });

  test('agrees with them at every length up to the last position', async () => {
    const model = smallBert();
    const runner = await body(model);
    for (let length = 1; length <= model.config.positions; length += 6) {
      const batch = texts(length);
      const { states, pooled } = await runner.run(batch, false);
      expect(
        largestDifference(
          states,
          (await reference(model, batch)).flatMap((row) => [...row]),
        ),
      ).toBeLessThan(TOLERANCE);
      expect(pooled.length).toBe(0);
    }
  });

  test('projects the states and pools what is not projected', async () => {
    const model = smallBert();
    const dim = 5;
    const projection = { matrix: Float32Array.from({ length: 48 * dim }, (_, i) => Math.sin(i)), dim };
    const batch = texts(6, 4);
    const { states, pooled } = await (await body(model, projection)).run(batch, true);
    const expected = (await reference(model, batch)).flatMap((row) =>
      Array.from({ length: dim }, (_, c) => row.reduce((sum, v, i) => sum + v * projection.matrix[i * dim + c], 0)),
    );
    expect(largestDifference(states, expected)).toBeLessThan(5 * TOLERANCE);
    expect(pooled.length).toBe(2 * 48);
  });

  test('a text has the same states whatever else is in its batch', async () => {
    const runner = await body(smallBert());
    const together = (await runner.run(texts(11, 5, 2), false)).states;
    const alone = (await runner.run(texts(11), false)).states;
    expect(largestDifference(together.subarray(0, alone.length), alone)).toBeLessThan(1e-5);
  });
});
