import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Device } from '../../dist/device/device.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import { mlpLayout, randomLayout } from '../../dist/device/feature-layout.js';
import type { Tensor } from '../../dist/device/memory.js';
import { type TensorScope, withTensors } from '../../dist/device/with-tensors.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { numbers, randomTexts } from '../numbers.js';
import { type CpuDeviceName, cpuDevicesFor } from './devices.js';

const names: readonly CpuDeviceName[] = ['plain', 'one thread'];
const device = cpuDevicesFor(names);

/** Sizes around those at which work is cut and rounded. */
const size = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.constantFrom(31, 32, 33, 63, 64, 65, 127, 129),
);
const lengths = (long: readonly number[]) =>
  fc.array(fc.oneof(size, fc.constantFrom(...long)), { minLength: 1, maxLength: 5 });

interface Shape {
  dim: number;
  latentDim: number;
  hidden: number;
  rows: number;
  documents: number[];
  queries: number[];
  int8: boolean;
}

const shapes = (rows: number, long: readonly number[]): fc.Arbitrary<Shape> =>
  fc.record({
    dim: size,
    latentDim: size,
    hidden: size,
    rows: fc.oneof(size, fc.constant(rows)),
    documents: lengths(long),
    queries: lengths(long),
    int8: fc.boolean(),
  });

/** All operations once; what they compute is checked elsewhere. */
async function computeAll(one: Device, scope: TensorScope, given: Shape): Promise<void> {
  const { dim, latentDim, rows } = given;
  const tokensOf = async (counts: number[], int8: boolean) => {
    const texts = randomTexts(1, counts, dim);
    const sets = { counts: Int32Array.from(counts), offsets: rowOffsets(Int32Array.from(counts)) };
    const tokens = await uploadTokens(scope, { ...texts, ...sets });
    if (!int8) return tokens;
    const codes = Int8Array.from(numbers(2).integers(texts.vectors.length, 127));
    return {
      ...tokens,
      encoding: 'int8',
      vectors: await scope.upload('i8', codes),
      scales: await scope.upload('f32', numbers(3).floats(counts.length)),
      parameters: await scope.upload('f32', numbers(4).floats(dim)),
    };
  };
  const [documents, queries] = [
    await tokensOf(given.documents, given.int8),
    await tokensOf(given.queries, false),
  ];
  const count = documents.documentCount;
  const floats = (length: number): Promise<Tensor<'f32'>> =>
    scope.upload('f32', numbers(5).floats(length));
  const out = (length: number): Promise<Tensor<'f32'>> => scope.allocate('f32', length);
  const x = await floats(rows * dim);
  const z = await out(rows * latentDim);
  for (const layout of [
    mlpLayout(dim, [given.hidden, latentDim], 'gelu'),
    randomLayout(dim, latentDim, 'relu'),
  ]) {
    const featureMap = { layout, parameters: await floats(layout.parameterCount), unit: true };
    await one.features(featureMap, x, rows, z);
    await one.queryFeatures(featureMap, queries, await out(queries.documentCount * latentDim));
  }
  const targets = await out(rows * count);
  await one.targets(x, rows, documents, null, targets);
  for (const products of ['float32', 'int16'] as const) {
    const layout = mlpLayout(dim, [given.hidden, latentDim], 'silu');
    const training = scope.own(
      await one.createTraining({ layout, outputs: count, batchSize: rows, products }),
    );
    const order = await scope.upload(
      'i32',
      Int32Array.from({ length: rows }, (_, i) => i),
    );
    const moments = { mean: 0.5, std: 2 };
    await training.writeParameters(numbers(6).floats(training.parameterCount));
    await training.loss({ x, targets, rows, ...moments });
    const step = {
      ...{ x, targets, order, from: 0, rows, ...moments },
      ...{ lr: 1e-3, beta1: 0.9, beta2: 0.999, correction1: 0.1, correction2: 0.1 },
      ...{ eps: 1e-8, gradClip: 1 },
    };
    await training.steps([step, step]);
  }
  const factor = scope.own(await one.gram(z, rows, latentDim));
  const regular = new Float64Array(latentDim ** 2);
  for (let i = 0; i < latentDim; i++) regular[i * latentDim + i] = 1;
  await factor.write(regular);
  expect(await factor.factorise()).toBe(1);
  const w = await out(count * latentDim);
  await one.documentWeights({ x, z, rows, factor, documents, mean: 0.5, std: 2, out: w });
  const k = Math.min(3, count);
  const features = await floats(2 * latentDim);
  await one.topInnerProducts(features, 2, w, count, latentDim, k);
  const prefixDim = Math.min(given.hidden, latentDim);
  const prefixes = await out(2 * prefixDim);
  const projection = await floats(prefixDim * latentDim);
  await one.innerProducts(features, 2, projection, prefixDim, latentDim, prefixes);
  const args = { w, negativeMean: await floats(latentDim), projection, step: 0.1 };
  const codes = await one.encodeRows(args, count, latentDim, prefixDim);
  scope.ownAll([codes.prefix, codes.full, codes.scales]);
  await one.topCodes(codes, features, prefixes, 2, k + 1, k);
  await one.maxSim(queries, documents, await out(queries.documentCount * count));
  const all = Int32Array.from({ length: queries.documentCount * count }, (_, i) => i % count);
  const starts = Int32Array.from({ length: queries.documentCount + 1 }, (_, q) => q * count);
  const chosen = await scope.upload('i32', all);
  await one.maxSimSubset(queries, documents, chosen, starts, await out(all.length));
}

describe.each(names)('operations on a device: %s', (name) => {
  test('take no more scratch than is stated, and write nothing behind it, whatever the shapes', {
    timeout: 120_000,
  }, async () => {
    const one = device(name);
    await fc.assert(
      // plain kernels take many times as long
      fc.asyncProperty(name === 'plain' ? shapes(65, [70]) : shapes(270, [300, 1100]), (given) =>
        withTensors(one, (scope) => computeAll(one, scope, given)),
      ),
      { numRuns: name === 'plain' ? 2 : 40 },
    );
  });
});
