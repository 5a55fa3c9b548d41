import { describe, expect, test } from 'vitest';
import { withTensors } from '../../dist/device/with-tensors.js';
import { dot, numbers, relativeError, rowsOfTexts } from '../numbers.js';
import {
  count,
  DIM,
  documents,
  int8Values,
  LATENT,
  largestDot,
  mean,
  std,
  tokenRows,
  uploadInt8,
  x,
} from './conformance-data.js';
import { type CpuDeviceName, cpuDevicesFor } from './devices.js';

const names: readonly CpuDeviceName[] = ['plain', 'one thread', 'two threads', 'unshared memory'];
const device = cpuDevicesFor(names);
const found = new Map<string, Float32Array>();
const ROWS = 290;
/** A group looks at all tokens of documents with no more. */
const ALL_NEAR = 8;
const z = numbers(8).floats(ROWS * LATENT);

describe.each(names)('%s', (name) => {
  test('weights of int8 documents on a grouped sample are least squares, all tokens of short ones being near', async () => {
    const one = device(name);
    const weights = await withTensors(one, async (scope) => {
      const features = await scope.upload('f32', z);
      const sample = await scope.upload('f32', x.slice(0, ROWS * DIM));
      const factor = scope.own(await one.gram(features, ROWS, LATENT));
      await factor.factorise();
      const out = await scope.allocate('f32', count * LATENT);
      await one.documentWeights({
        x: sample,
        z: features,
        rows: ROWS,
        factor,
        grouped: true,
        documents: await uploadInt8(scope),
        mean,
        std,
        out,
      });
      return one.read(out);
    });
    found.set(name, weights);
    expect(weights.every(Number.isFinite)).toBe(true);
    const columns = Array.from({ length: LATENT }, (_, j) =>
      Array.from({ length: ROWS }, (_, r) => z[r * LATENT + j]),
    );
    const product = columns.map((a) => columns.map((b) => dot(a, b)));
    const texts = rowsOfTexts(int8Values());
    const short = [...documents.counts.keys()].filter((d) => documents.counts[d] <= ALL_NEAR);
    expect(short.length).toBeGreaterThan(3);
    for (const d of short) {
      const w = weights.subarray(d * LATENT, (d + 1) * LATENT);
      const y = tokenRows(x, DIM)
        .slice(0, ROWS)
        .map((token) => (largestDot(token, texts[d]) - mean) / std);
      // codes of 12 bits on both sides
      expect(
        relativeError(
          product.map((row) => dot(row, w)),
          columns.map((column) => dot(column, y)),
        ),
      ).toBeLessThan(2e-3);
    }
  });
});

test('the CPU gives the same bytes with one thread, two threads and unshared memory', () => {
  expect(found.get('two threads')).toEqual(found.get('one thread'));
  expect(found.get('unshared memory')).toEqual(found.get('one thread'));
});
