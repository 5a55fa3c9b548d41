import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { Device } from '../../dist/device/device.js';
import { mlpLayout } from '../../dist/device/feature-layout.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { initialParameters } from '../../dist/learn/initial-parameters.js';
import { createSolver, type Solver } from '../../dist/learn/solver.js';
import { leadingEigenvectors } from '../../dist/search/prefix/leading-eigenvectors.js';
import { fitPrefixMap } from '../../dist/search/prefix/prefix-map.js';
import { createRandom } from '../../dist/tokens/random.js';
import { dot, numbers, relativeError } from '../numbers.js';

let device: Device;
beforeAll(async () => {
  device = await createCpuDevice(nodePlatform, 2);
});
afterAll(() => device.close());

const rowsOf = (values: ArrayLike<number>, n: number): number[][] =>
  Array.from({ length: values.length / n }, (_, i) =>
    Array.from({ length: n }, (_, j) => values[i * n + j]),
  );

describe('leading eigenvectors', () => {
  const n = 90;
  /**
   * H diag(values) H with the reflection H = I - 2 u u^T: its eigenvectors are the columns of H.
   */
  const matrixOf = (values: readonly number[]): { matrix: Float32Array; columns: number[][] } => {
    const u = numbers(5).unitRows(1, n);
    const h = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => Number(i === j) - 2 * u[i] * u[j]),
    );
    const matrix = Float32Array.from(
      h.flatMap((a) =>
        h.map((b) => values.reduce((sum, value, k) => sum + a[k] * value * b[k], 0)),
      ),
    );
    return { matrix, columns: h };
  };
  const leading = async (values: readonly number[], count: number) => {
    const { matrix, columns } = matrixOf(values);
    const tensor = await device.upload('f32', matrix);
    const found = await leadingEigenvectors(device, tensor, n, count, createRandom(1));
    device.free(tensor);
    return { ...found, columns };
  };

  test('of a spectrum that falls are its largest, each along its direction', async () => {
    const spectrum = Array.from({ length: n }, (_, i) => 10 * 0.8 ** i);
    const { values, vectors, columns } = await leading(spectrum, 12);
    expect(relativeError(values, spectrum.slice(0, 12))).toBeLessThan(1e-4);
    for (const [i, vector] of rowsOf(vectors, n).entries())
      expect(Math.abs(dot(vector, columns[i]))).toBeGreaterThan(0.999);
  });

  test('are orthonormal, and no more than the rank', async () => {
    const spectrum = Array.from({ length: n }, (_, i) => (i < 5 ? 5 - i : 0));
    const { values, vectors } = await leading(spectrum, 40);
    expect(values.length).toBe(5);
    const rows = rowsOf(vectors, n);
    for (const [i, a] of rows.entries())
      for (const [j, b] of rows.entries()) expect(dot(a, b)).toBeCloseTo(Number(i === j), 4);
  });

  test('of zero are none', async () => {
    expect((await leading(new Array(n).fill(0), 4)).values.length).toBe(0);
  });
});

describe('a prefix map', () => {
  const [dim, latentDim, documents, sample] = [8, 24, 300, 500];
  const layout = mlpLayout(dim, [latentDim], 'gelu');
  let solver: Solver;
  let features: number[][];
  // weights along a few directions more than along others
  const w = numbers(7)
    .floats(documents * latentDim)
    .map((v, i) => v * 0.7 ** (i % latentDim) + 0.5); // prettier-ignore
  const mean = Array.from(
    { length: latentDim },
    (_, j) => rowsOf(w, latentDim).reduce((sum, row) => sum + row[j], 0) / documents,
  );
  const centred = rowsOf(w, latentDim).map((row) => row.map((v, j) => v - mean[j]));

  beforeAll(async () => {
    const parameters = await device.upload('f32', initialParameters(layout, 0, createRandom(3)));
    const x = await device.upload('f32', numbers(8).unitRows(sample, dim));
    solver = await createSolver(device, { layout, parameters }, x, sample, false);
    features = rowsOf(await device.read(solver.z), latentDim);
  });

  const mapTo = async (prefixDim: number, weights = w) => {
    const tensor = await device.upload('f32', weights);
    const map = await fitPrefixMap(device, solver, tensor, latentDim, prefixDim, 0);
    device.free(tensor);
    return map;
  };
  const apply = (rows: readonly number[][], map: Float32Array): number[][] =>
    rows.map((row) => rowsOf(map, latentDim).map((direction) => dot(row, direction)));
  const moment = (rows: readonly number[][]): number[][] =>
    rows[0].map((_, i) =>
      rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[i] * row[j], 0) / rows.length),
    );

  test('of all coordinates keeps every inner product with the centred weights', async () => {
    const map = (await mapTo(latentDim))!;
    expect(relativeError(map.mean, mean)).toBeLessThan(1e-5);
    const [short, asked] = [
      apply(centred, map.documentProjection),
      apply(features.slice(0, 20), map.queryProjection),
    ];
    const products = asked.flatMap((q) => short.map((d) => dot(q, d)));
    const expected = features.slice(0, 20).flatMap((q) => centred.map((d) => dot(q, d)));
    expect(relativeError(products, expected)).toBeLessThan(1e-2);
  });

  test('gives documents and queries the same diagonal moment, sorted', async () => {
    const map = (await mapTo(6))!;
    expect(map.dim).toBe(6);
    const [ofDocuments, ofQueries] = [
      moment(apply(centred, map.documentProjection)),
      moment(apply(features, map.queryProjection)),
    ];
    const diagonal = ofDocuments.map((row, i) => row[i]);
    expect(
      relativeError(
        ofDocuments.flat(),
        ofDocuments.flatMap((row, i) => row.map((_, j) => (i === j ? diagonal[i] : 0))),
      ),
    ).toBeLessThan(1e-2); // prettier-ignore
    expect(relativeError(ofQueries.flat(), ofDocuments.flat())).toBeLessThan(2e-2);
    expect(diagonal).toEqual([...diagonal].sort((a, b) => b - a));
    const largest = 127 * map.step;
    expect(largest).toBeCloseTo(6 * Math.sqrt(diagonal.reduce((sum, v) => sum + v, 0) / 6), 3);
  });

  test('has no more coordinates than the weights have directions, and none where all are alike', async () => {
    const rows = rowsOf(w, latentDim);
    const two = Float32Array.from(rows.flatMap((_, i) => rows[i % 3]));
    expect((await mapTo(10, two))!.dim).toBe(2);
    expect(await mapTo(10, Float32Array.from(rows.flatMap(() => rows[0])))).toBeNull();
  });
});
