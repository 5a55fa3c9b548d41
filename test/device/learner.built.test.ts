import { describe, expect, test } from 'vitest';
import { tokenTensors, uploadTokens } from '../../dist/device/device-tokens.js';
import { withTensors } from '../../dist/device/with-tensors.js';
import { dot, numbers, relativeError, rowsOfTexts, sum } from '../numbers.js';
import { ComparedResults } from './compared-results.js';
import {
  count,
  DIM,
  documents,
  int8Values,
  LATENT,
  largestDot,
  maps,
  mean,
  OUTPUTS,
  parametersOf,
  ROWS,
  select,
  sets,
  std,
  tokenRows,
  uploadInt8,
  x,
} from './conformance-data.js';
import { type CpuDeviceName, cpuDevicesFor, GPU_DEVICES } from './devices.js';
import { naiveFeatures } from './naive-features.js';
import { naiveTraining } from './naive-training.js';

const names: readonly CpuDeviceName[] = [
  'plain',
  'one thread',
  'two threads',
  'unshared memory',
  ...GPU_DEVICES,
];
const device = cpuDevicesFor(names);
const results = new ComparedResults(device);

describe.each(names)('the learner of a device: %s', (name) => {
  test.each(Object.keys(maps) as (keyof typeof maps)[])('computes features: %s', async (kind) => {
    const layout = maps[kind];
    const parameters = parametersOf(layout);
    const { features } = await results.on(name, `features ${kind}`, (one) =>
      withTensors(one, async (scope) => {
        const map = { layout, parameters: await scope.upload('f32', parameters) };
        const out = await scope.allocate('f32', ROWS * LATENT);
        await one.features(map, await scope.upload('f32', x), ROWS, out);
        return { features: await one.read(out) };
      }),
    );
    const some = tokenRows(x, DIM).slice(-20);
    const expected = some.flatMap((row) => naiveFeatures(layout, parameters, row));
    expect(relativeError(features.slice(-20 * LATENT), expected)).toBeLessThan(1e-5);
  });

  test.each(['all', 'selected'])('computes targets: %s documents', async (which) => {
    const chosen = which === 'all' ? null : select;
    const { targets, moments } = await results.on(name, `targets ${which}`, async (one) => {
      const [input, tokens] = [
        await one.upload('f32', x),
        await uploadTokens(one, sets(documents)),
      ];
      const out = await one.allocate('f32', ROWS * (chosen?.length ?? count));
      const numbered = chosen && (await one.upload('i32', chosen));
      const sums = await one.targets(input, ROWS, tokens, numbered, out);
      const results = {
        targets: await one.read(out),
        moments: Float64Array.of(sums.sum, sums.sumSquares),
      };
      one.free(
        input,
        out,
        tokens.vectors,
        tokens.counts,
        tokens.offsets,
        ...(numbered ? [numbered] : []),
      );
      return results;
    });
    const all = rowsOfTexts(documents);
    const wanted = chosen ? Array.from(chosen, (d) => all[d]) : all;
    const expected = tokenRows(x, DIM).flatMap((token) =>
      wanted.map((document) => largestDot(token, document)),
    );
    expect(relativeError(targets, expected)).toBeLessThan(1e-6);
    expect(relativeError(moments, [sum(expected), dot(expected, expected)])).toBeLessThan(1e-6);
  });

  test.each([
    ['one', null, 'float32'],
    ['two', 0.05, 'float32'],
    ['one', 0.05, 'int16'],
    ['two', null, 'int16'],
  ] as const)(
    'takes training steps: feature map %s, clipping at %s, products in %s',
    async (kind, gradClip, products) => {
      const layout = maps[kind];
      const initial = numbers(6).floats(layout.parameterCount + OUTPUTS * LATENT, 0.4);
      const targets = numbers(7).floats(ROWS * OUTPUTS, 0.5);
      const order = Int32Array.from({ length: ROWS }, (_, i) => (i * 7) % ROWS);
      const [rows, from] = [130, 100];
      const lr = 0.01;
      const { gradients, first, parameters, reports } = await results.on(
        name,
        `training ${kind} in ${products}`,
        async (one) => {
          const training = await one.createTraining({
            layout,
            outputs: OUTPUTS,
            batchSize: 200,
            products,
          });
          expect(training.parameterCount).toBe(initial.length);
          await training.writeParameters(initial);
          const [input, y, sequence] = [
            await one.upload('f32', x),
            await one.upload('f32', targets),
            await one.upload('i32', order),
          ];
          const step = (number: number, at: number, size: number) => ({
            x: input,
            targets: y,
            mean,
            std,
            order: sequence,
            from: at,
            rows: size,
            lr,
            beta1: 0.9,
            beta2: 0.999,
            correction1: 1 - 0.9 ** number,
            correction2: 1 - 0.999 ** number,
            eps: 1e-8,
            gradClip,
          });
          const loss = await training.loss({ x: input, targets: y, rows: ROWS, mean, std });
          const [report] = await training.steps([step(1, from, rows)]);
          const [gradients, first] = [
            await training.readGradients(),
            await training.readParameters(),
          ];
          // more than a job takes; then the same again, one at a time
          const later = Array.from({ length: 20 }, (_, i) => step(2 + i, 7 * i, 57));
          const together = await training.steps(later);
          const parameters = await training.readParameters();
          const again = await one.createTraining({
            layout,
            outputs: OUTPUTS,
            batchSize: 200,
            products,
          });
          await again.writeParameters(initial);
          await again.steps([step(1, from, rows)]);
          for (const [i, one] of later.entries())
            expect(await again.steps([one])).toEqual([together[i]]);
          expect(await again.readParameters()).toEqual(parameters);
          again.close();
          const results = {
            gradients,
            first,
            parameters,
            reports: Float64Array.of(loss, report.loss, report.gradientNorm),
          };
          training.close();
          one.free(input, y, sequence);
          return results;
        },
      );

      const expected = naiveTraining(
        kind,
        initial,
        targets,
        Array.from(order.subarray(from, from + rows)),
      );
      const norm = Math.sqrt(dot(gradients, gradients));
      // codes of 12 bits are off by a four-thousandth of the largest value of their row or column
      const tolerance = products === 'int16' ? 1e-3 : 1e-5;
      expect(relativeError(reports, [expected.loss, expected.batchLoss, norm])).toBeLessThan(
        tolerance,
      );
      for (const [at, slope] of expected.slopes) {
        expect(Math.abs(gradients[at] - slope), `gradient of parameter ${at}`).toBeLessThan(
          tolerance * norm,
        );
      }
      // Adam's first step is lr * g / (|g| + eps), whatever the size of the gradient
      const factor = gradClip === null ? 1 : Math.min(1, gradClip / (norm + 1e-6));
      const moved = Array.from(gradients, (g) => (lr * g * factor) / (Math.abs(g * factor) + 1e-8));
      expect(
        relativeError(
          Array.from(first, (p, i) => initial[i] - p),
          moved,
        ),
      ).toBeLessThan(1e-4);
      expect(parameters.every(Number.isFinite)).toBe(true);
    },
  );

  test('computes the Gram matrix, its factor and the weights of documents', async () => {
    const rows = 290;
    const z = numbers(8).floats(rows * LATENT);
    const { gram, factor, weights, ratio, solved } = await results.on(
      name,
      'least squares',
      async (one) => {
        const [features, input] = [
          await one.upload('f32', z),
          await one.upload('f32', x.slice(0, rows * DIM)),
        ];
        const tokens = await uploadTokens(one, sets(documents));
        const matrix = await one.gram(features, rows, LATENT);
        const gram = await matrix.read();
        const ratio = await matrix.factorise();
        const rowOf = (i: number) =>
          Array.from({ length: LATENT }, (_, j) => gram[Math.max(i, j) * LATENT + Math.min(i, j)]);
        const solved = await matrix.solve(Float32Array.of(...rowOf(0), ...rowOf(77)));
        const out = await one.allocate('f32', count * LATENT);
        await one.documentWeights({
          x: input,
          z: features,
          rows,
          factor: matrix,
          documents: tokens,
          mean,
          std,
          out,
        });
        const results = {
          gram,
          factor: await matrix.read(),
          weights: await one.read(out),
          ratio: Float64Array.of(ratio),
          solved,
        };
        matrix.close();
        one.free(features, input, out, ...tokenTensors(tokens));
        return results;
      },
    );
    const lower = (matrix: Float64Array): number[] =>
      Array.from(matrix, (v, at) => (at % LATENT <= Math.floor(at / LATENT) ? v : 0));
    const columns = Array.from({ length: LATENT }, (_, j) =>
      Array.from({ length: rows }, (_, r) => z[r * LATENT + j]),
    );
    const product = columns.map((a) => columns.map((b) => dot(a, b)));
    expect(relativeError(lower(gram), lower(Float64Array.from(product.flat())))).toBeLessThan(
      1e-13,
    );
    const l = tokenRowsF64(Float64Array.from(lower(factor)), LATENT);
    expect(
      relativeError(
        lower(Float64Array.from(l.flatMap((a) => l.map((b) => dot(a, b))))),
        lower(gram),
      ),
    ).toBeLessThan(1e-12);
    expect(ratio[0]).toBeCloseTo(Math.min(...l.map((row, i) => row[i] ** 2 / product[i][i])), 8);
    // a row of the matrix is the matrix times a unit vector
    const unit = (i: number) => Array.from({ length: LATENT }, (_, j) => Number(i === j));
    expect(relativeError(solved, [...unit(0), ...unit(77)])).toBeLessThan(1e-5);
    // least squares: Z^T Z w = Z^T y for every document
    const all = rowsOfTexts(documents);
    for (const d of [0, 3, 63, 64, count - 1]) {
      const w = weights.subarray(d * LATENT, (d + 1) * LATENT);
      const y = tokenRows(x, DIM)
        .slice(0, rows)
        .map((token) => (largestDot(token, all[d]) - mean) / std);
      expect(
        relativeError(
          product.map((row) => dot(row, w)),
          columns.map((column) => dot(column, y)),
        ),
      ).toBeLessThan(1e-5);
    }
  });

  test('takes int8 documents: targets are those of their values, up to the rounding of the other side', async () => {
    const rows = 40;
    const { targets } = await results.on(name, 'int8 documents', (one) =>
      withTensors(one, async (scope) => {
        const learn = await scope.upload('f32', x.slice(0, rows * DIM));
        const learned = await scope.allocate('f32', rows * count);
        await one.targets(learn, rows, await uploadInt8(scope), null, learned);
        return { targets: await one.read(learned) };
      }),
    );
    const texts = rowsOfTexts(int8Values());
    const products = tokenRows(x, DIM)
      .slice(0, rows)
      .flatMap((token) => texts.map((document) => largestDot(token, document)));
    expect(relativeError(targets, products)).toBeLessThan(3e-4);
  });
});

test('the CPU gives the same bytes with one thread, two threads and unshared memory; the plain kernels the same numbers', async () => {
  await results.expectSame(['one thread', 'two threads', 'unshared memory'], ['plain']);
});

function tokenRowsF64(values: Float64Array, n: number): Float64Array[] {
  return Array.from({ length: values.length / n }, (_, r) => values.subarray(r * n, (r + 1) * n));
}
