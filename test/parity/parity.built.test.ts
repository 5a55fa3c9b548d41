import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../dist/device/device.js';
import type { DeviceTokens } from '../../dist/device/device-tokens.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import { mlpLayout, randomLayout } from '../../dist/device/feature-layout.js';
import { ACTIVATIONS } from '../../dist/kernels/kernels.js';
import { documentWeights } from '../../dist/learn/document-weights.js';
import { createSolver } from '../../dist/learn/solver.js';
import { train } from '../../dist/learn/train.js';
import { gatherRows } from '../../dist/tokens/gather.js';
import { createRandom } from '../../dist/tokens/random.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { cpuDevicesFor, GPU_DEVICES } from '../device/devices.js';
import { relativeError } from '../numbers.js';
import { floats, integers, scalars } from './fixtures.js';

const { dim, hidden, mean, std } = scalars;
const FORWARD = 1e-5;
const TRAINED = 1e-4;

/** With the GPU's where it is asked for; its tolerances are the processor's. */
const DEVICES = ['two threads', ...GPU_DEVICES] as const;
const deviceOf = cpuDevicesFor(DEVICES);
let device: Device;
let documents: DeviceTokens;
let queries: DeviceTokens;
const learn = gatherRows(floats('train'), dim, integers('learn_rows'));
const rows = learn.length / dim;

function sets(name: string) {
  const counts = integers(`${name}_counts`);
  return { vectors: floats(name), counts, offsets: rowOffsets(counts), dim };
}

function joined(...names: string[]): Float32Array {
  return Float32Array.from(names.flatMap((name) => [...floats(name)]));
}

const layout = mlpLayout(dim, [hidden], 'gelu');
const trained = (): Float32Array =>
  joined(
    'trained_linear_weight',
    'trained_linear_bias',
    'trained_norm_weight',
    'trained_norm_bias',
  );

describe.each(DEVICES)('the numbers of the Python reference on %s', (name) => {
  beforeAll(async () => {
    device = deviceOf(name);
    documents = await uploadTokens(device, sets('train'));
    queries = await uploadTokens(device, sets('test'));
  });

  it('1: the data add up to its documents, queries and learn tokens', () => {
    expect(documents.documentCount).toBe(scalars.documents);
    expect(queries.documentCount).toBe(24);
    expect(rows).toBe(1024);
  });

  it('2: targets are the largest inner products, with its mean and population deviation', async () => {
    const x = await device.upload('f32', learn);
    const out = await device.allocate('f32', rows * documents.documentCount);
    const { sum, sumSquares } = await device.targets(x, rows, documents, null, out);
    expect(relativeError(await device.read(out), floats('targets'))).toBeLessThan(FORWARD);
    const n = out.length;
    expect(sum / n).toBeCloseTo(mean, 6);
    expect(Math.sqrt(sumSquares / n - (sum / n) ** 2)).toBeCloseTo(std, 6);
  });

  it('3: training takes its steps: losses, gradient norms and parameters', async () => {
    const initial = joined(
      'init_linear_weight',
      'init_linear_bias',
      'init_norm_weight',
      'init_norm_bias',
      'init_output_weight',
    );
    const examples = {
      x: await device.upload('f32', learn),
      targets: await device.upload('f32', floats('targets')),
      rows,
    };
    const permutations = integers('permutations');
    const epochs = permutations.length / rows;
    const steps: { loss: number; gradientNorm: number }[] = [];
    const parameters = await train(
      device,
      { layout, initial },
      { examples, validation: null, mean, std },
      {
        epochs,
        lr: scalars.lr,
        schedule: 'constant',
        batchSize: scalars.batch_size,
        gradClip: scalars.grad_clip,
        products: 'float32',
        random: createRandom(0),
        order: (epoch) => permutations.slice(epoch * rows, (epoch + 1) * rows),
        onStep: (step) => steps.push(step),
      },
    );
    expect(
      relativeError(
        steps.map((step) => step.loss),
        scalars.step_losses,
      ),
    ).toBeLessThan(FORWARD);
    expect(
      relativeError(
        steps.map((step) => step.gradientNorm),
        scalars.step_gradient_norms,
      ),
    ).toBeLessThan(TRAINED);
    const last = joined(
      'trained_linear_weight',
      'trained_linear_bias',
      'trained_norm_weight',
      'trained_norm_bias',
      'trained_output_weight',
    );
    expect(relativeError(parameters, last)).toBeLessThan(TRAINED);
  });

  it('4: document weights, query features, scores, candidates and the reranked ten', async () => {
    const featureMap = { layout, parameters: await device.upload('f32', trained()) };
    const solver = await createSolver(
      device,
      featureMap,
      await device.upload('f32', learn),
      rows,
      false,
    );
    const w = await documentWeights(device, { featureMap, solver, mean, std }, documents);
    const error = relativeError(await device.read(w), floats('weights'));
    expect(error).toBeLessThan(TRAINED);

    const q = await device.allocate('f32', queries.documentCount * hidden);
    await device.queryFeatures(featureMap, queries, q);
    const features = (await device.read(q)).map((value) => value / scalars.query_feature_scale);
    expect(relativeError(features, floats('query_features'))).toBeLessThan(FORWARD);

    const top = await device.topInnerProducts(
      q,
      queries.documentCount,
      w,
      documents.documentCount,
      hidden,
      50,
    );
    const candidates = integers('candidates');
    const scores = floats('scores');
    for (let i = 0; i < queries.documentCount; i++) {
      const ours = new Set(top.indices.subarray(i * 50, (i + 1) * 50));
      const theirs = [...candidates.subarray(i * 50, (i + 1) * 50)];
      const row = scores.subarray(i * documents.documentCount, (i + 1) * documents.documentCount);
      const cut = Math.min(...theirs.map((d) => row[d]));
      for (const d of theirs) if (!ours.has(d)) expect(row[d] - cut).toBeLessThan(1e-6);
    }
    const ourScores = top.scores.map((value) => value / scalars.query_feature_scale);
    const theirScores = [...top.indices].map(
      (d, i) => scores[Math.floor(i / 50) * documents.documentCount + d],
    );
    expect(relativeError(ourScores, theirScores)).toBeLessThan(TRAINED);

    const all = await device.allocate('f32', queries.documentCount * documents.documentCount);
    await device.maxSim(queries, documents, all);
    expect(relativeError(await device.read(all), floats('exact_scores'))).toBeLessThan(FORWARD);

    const chosen = await device.upload('i32', top.indices);
    const offsets = Int32Array.from({ length: queries.documentCount + 1 }, (_, i) => i * 50);
    const exact = await device.allocate('f32', chosen.length);
    await device.maxSimSubset(queries, documents, chosen, offsets, exact);
    const values = await device.read(exact);
    const reranked = integers('reranked');
    for (let i = 0; i < queries.documentCount; i++) {
      const order = Array.from({ length: 50 }, (_, j) => i * 50 + j).sort(
        (a, b) => values[b] - values[a],
      );
      expect(order.slice(0, 10).map((at) => top.indices[at])).toEqual([
        ...reranked.subarray(i * 10, (i + 1) * 10),
      ]);
    }
  });

  it('5: random features and their weights, a singular Gram matrix notwithstanding', async () => {
    const random = randomLayout(dim, hidden, 'gelu');
    const weight = floats('elm_weight');
    // ours is outputs x inputs
    const parameters = Float32Array.from(
      { length: weight.length },
      (_, i) => weight[(i % dim) * hidden + Math.floor(i / dim)],
    );
    const featureMap = { layout: random, parameters: await device.upload('f32', parameters) };
    const x = await device.upload('f32', learn);
    const z = await device.allocate('f32', 64 * hidden);
    await device.features(featureMap, x, 64, z);
    expect(relativeError(await device.read(z), floats('elm_features'))).toBeLessThan(FORWARD);
    const solver = await createSolver(device, featureMap, x, rows, false);
    const w = await documentWeights(device, { featureMap, solver, mean, std }, documents);
    expect(relativeError(await device.read(w), floats('elm_weights'))).toBeLessThan(TRAINED);
  });

  it.each(ACTIVATIONS)('6: two layers with %s', async (activation) => {
    const parameters = joined(
      ...[0, 1, 3, 4].flatMap((i) => [`two_layer_${i}_weight`, `two_layer_${i}_bias`]),
    );
    const featureMap = {
      layout: mlpLayout(dim, [96, 64], activation),
      parameters: await device.upload('f32', parameters),
    };
    const out = await device.allocate('f32', 64 * 64);
    await device.features(featureMap, await device.upload('f32', learn), 64, out);
    expect(
      relativeError(await device.read(out), floats(`two_layer_features_${activation}`)),
    ).toBeLessThan(FORWARD);
  });
});
