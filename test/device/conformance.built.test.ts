import { describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { CpuArray } from '../../dist/device/cpu/cpu-tensor.js';
import type { Device } from '../../dist/device/device.js';
import { codeTensors, type DeviceCodes } from '../../dist/device/device-codes.js';
import { freeTokens, tokenTensors, uploadTokens } from '../../dist/device/device-tokens.js';
import { type FeatureLayout, mlpLayout, randomLayout } from '../../dist/device/feature-layout.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { int8Encoding } from '../../dist/tokens/int8-encoding.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import {
  bytesOf,
  dot,
  naiveMaxSim,
  numbers,
  randomTexts,
  relativeError,
  rowsOfTexts,
  sum,
  type Texts,
} from '../numbers.js';
import { type DeviceName, devicesFor } from './devices.js';

const names: readonly DeviceName[] = ['plain', 'one thread', 'two threads', 'unshared memory'];
const device = devicesFor(names);

const DIM = 23;
const LATENT = 150;
const ROWS = 300;
const OUTPUTS = 70;
const documents = randomTexts(
  1,
  [1, 2, 3, 50, ...new Array(OUTPUTS - 4).fill(0).map((_, i) => 1 + ((i * 7) % 40)), 1100],
  DIM,
);
const queries = randomTexts(2, [1, 5, 32, 33, 140, 16], DIM);
const x = numbers(3).unitRows(ROWS, DIM);
const count = documents.counts.length;
const select = Int32Array.from({ length: OUTPUTS }, (_, i) => (i * 5) % count);
const mean = 0.4;
const std = 0.2;

/** Document weights, with a map to prefixes of 31 coordinates. */
const WEIGHT_ROWS = 700;
const PREFIX = 31;
const weights = {
  w: numbers(33).floats(WEIGHT_ROWS * LATENT),
  mean: numbers(34).floats(LATENT, 0.3),
  map: numbers(35).floats(PREFIX * LATENT, 0.1),
  step: 0.005,
};

async function encode(one: Device): Promise<DeviceCodes> {
  const { w, mean, map, step } = weights;
  const [rows, negativeMean, matrix] = [
    await one.upload('f32', w),
    await one.upload(
      'f32',
      mean.map((v) => -v),
    ),
    await one.upload('f32', map),
  ];
  const codes = await one.encodeRows(
    { w: rows, negativeMean, map: matrix, step },
    WEIGHT_ROWS,
    LATENT,
    PREFIX,
  );
  one.free(rows, negativeMean, matrix);
  return codes;
}

const sets = ({ vectors, counts, dim }: Texts) => ({
  vectors,
  counts: Int32Array.from(counts),
  offsets: rowOffsets(Int32Array.from(counts)),
  dim,
});
const tokenRows = (values: Float32Array, dim: number): Float32Array[] =>
  Array.from({ length: values.length / dim }, (_, r) => values.subarray(r * dim, (r + 1) * dim));

/** Parameters of every kind, none of them zero. */
const parametersOf = (layout: FeatureLayout): Float32Array =>
  numbers(4).floats(layout.parameterCount, 0.4);
const maps = {
  one: mlpLayout(DIM, [LATENT], 'gelu'),
  two: mlpLayout(DIM, [37, LATENT], 'silu'),
  random: randomLayout(DIM, LATENT, 'relu'),
};

/** psi by its formula, in float64. `parameters` may be float64 too, for differences. */
function naiveFeatures(
  layout: FeatureLayout,
  parameters: ArrayLike<number>,
  token: ArrayLike<number>,
): number[] {
  const normalise = (v: number[]): number[] => {
    const m = sum(v) / v.length;
    const deviation = Math.sqrt(sum(v.map((a) => (a - m) ** 2)) / v.length + 1e-5);
    return v.map((a) => (a - m) / deviation);
  };
  const activate = (v: number): number => {
    if (layout.activation === 'relu') return Math.max(0, v);
    return layout.activation === 'silu'
      ? v / (1 + Math.exp(-v))
      : (v / 2) * (1 + erf(v / Math.SQRT2));
  };
  let value = Array.from(token);
  for (const { inputs, outputs, weight, bias, gamma, beta } of layout.layers) {
    const input = value;
    let linear = Array.from({ length: outputs }, (_, o) => {
      let total = 0;
      for (let i = 0; i < inputs; i++) total += input[i] * parameters[weight + o * inputs + i];
      return total;
    });
    if (layout.kind === 'random')
      value = normalise(linear.map((v) => activate(v) * Math.sqrt(2 / outputs)));
    else {
      linear = linear.map((v, o) => v + parameters[bias + o]);
      value = normalise(linear).map((v, o) =>
        activate(v * parameters[gamma + o] + parameters[beta + o]),
      );
    }
  }
  return value;
}

/** By Simpson's rule over e^-t^2, good to 1e-12. */
function erf(z: number): number {
  const steps = 400;
  const h = Math.min(6, Math.abs(z)) / steps;
  let total = 1 + Math.exp(-((h * steps) ** 2));
  for (let i = 1; i < steps; i++) total += (i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2));
  return (Math.sign(z) * 2 * h * total) / (3 * Math.sqrt(Math.PI));
}

const largestDot = (token: Float32Array, document: readonly Float32Array[]): number =>
  Math.max(...document.map((y) => dot(token, y)));

interface NaiveTraining {
  loss: number;
  batchLoss: number;
  /** Gradients of some parameters, by their places. */
  slopes: Map<number, number>;
}

const naiveTrainings = new Map<string, NaiveTraining>();

/**
 * Losses by their formula, and gradients of two parameters of each sort by central differences;
 * worked out once for all devices.
 */
function naiveTraining(
  kind: 'one' | 'two',
  initial: Float32Array,
  targets: Float32Array,
  batch: number[],
): NaiveTraining {
  const known = naiveTrainings.get(kind);
  if (known) return known;
  const layout = maps[kind];
  const lossOf = (values: ArrayLike<number>, examples: number[]): number => {
    let total = 0;
    for (const row of examples) {
      const z = naiveFeatures(layout, values, x.subarray(row * DIM, (row + 1) * DIM));
      for (let o = 0; o < OUTPUTS; o++) {
        let prediction = 0;
        for (let j = 0; j < LATENT; j++)
          prediction += z[j] * values[layout.parameterCount + o * LATENT + j];
        total += (prediction - (targets[row * OUTPUTS + o] - mean) / std) ** 2;
      }
    }
    return total / (examples.length * OUTPUTS);
  };
  const slopes = new Map<number, number>();
  const places = layout.layers.flatMap(({ weight, bias, gamma, beta }) =>
    [weight, bias, gamma, beta].flatMap((at) => [at, at + 3]),
  );
  for (const at of [...places, layout.parameterCount + 5, initial.length - 1]) {
    const moved = Float64Array.from(initial);
    moved[at] = initial[at] + 1e-4;
    const above = lossOf(moved, batch);
    moved[at] = initial[at] - 1e-4;
    slopes.set(at, (above - lossOf(moved, batch)) / 2e-4);
  }
  const everything = Array.from({ length: ROWS }, (_, i) => i);
  const made = { loss: lossOf(initial, everything), batchLoss: lossOf(initial, batch), slopes };
  naiveTrainings.set(kind, made);
  return made;
}

/** What each device made, for the comparison of bytes at the end. */
const made = new Map<string, Map<string, CpuArray>>();

/** Runs one computation on a device, frees what it took, and keeps its results under `what`. */
async function on<T extends Record<string, CpuArray>>(
  name: string,
  what: string,
  compute: (device: Device) => Promise<T>,
): Promise<T> {
  const results = await compute(device(name));
  for (const [part, values] of Object.entries(results)) {
    const key = `${what}: ${part}`;
    if (!made.has(key)) made.set(key, new Map());
    made.get(key)?.set(name, values);
  }
  return results;
}

describe.each(names)('a device: %s', (name) => {
  test('keeps what is uploaded and written, reads parts of it, and gives out zeros', async () => {
    const one = device(name);
    const values = numbers(5).floats(1000);
    const tensor = await one.upload('f32', values);
    expect(await one.read(tensor)).toEqual(values);
    await one.write(tensor, Float32Array.of(1, 2, 3), 500);
    expect(await one.read(tensor, 499, 504)).toEqual(
      Float32Array.of(values[499], 1, 2, 3, values[503]),
    );
    one.free(tensor);
    // room that was used before is zero again
    const zeros = await one.allocate('f32', 1200);
    expect((await one.read(zeros)).every((value) => value === 0)).toBe(true);
    for (const [dtype, data] of [
      ['i32', Int32Array.of(-(2 ** 31), 5)],
      ['i8', Int8Array.of(-128, 5, 7)],
    ] as const) {
      const typed = await one.upload(dtype, data as never);
      expect(await one.read(typed)).toEqual(data);
      one.free(typed);
    }
    one.free(zeros);
  });

  test('gives copies: writing to what was read or uploaded changes nothing', async () => {
    const one = device(name);
    const values = Float32Array.of(1, 2, 3);
    const tensor = await one.upload('f32', values);
    values[0] = 9;
    const copy = await one.read(tensor);
    copy[1] = 9;
    expect(await one.read(tensor)).toEqual(Float32Array.of(1, 2, 3));
    one.free(tensor);
  });

  test('reading what was freed rejects with closed', async () => {
    const one = device(name);
    const tensor = await one.upload('f32', Float32Array.of(1));
    one.free(tensor);
    await expect(one.read(tensor)).rejects.toMatchObject({ name: 'LemurError', code: 'closed' });
    one.free(tensor);
  });

  test.each(Object.keys(maps) as (keyof typeof maps)[])('computes features: %s', async (kind) => {
    const layout = maps[kind];
    const parameters = parametersOf(layout);
    const { features, sums } = await on(name, `features ${kind}`, async (one) => {
      const map = { layout, parameters: await one.upload('f32', parameters) };
      const [input, tokens] = [await one.upload('f32', x), await uploadTokens(one, sets(queries))];
      const [out, summed] = [
        await one.allocate('f32', ROWS * LATENT),
        await one.allocate('f32', queries.counts.length * LATENT),
      ];
      await one.features(map, input, ROWS, out);
      await one.queryFeatures(map, tokens, summed);
      const results = { features: await one.read(out), sums: await one.read(summed) };
      one.free(map.parameters, input, out, summed, tokens.vectors, tokens.counts, tokens.offsets);
      return results;
    });
    const some = tokenRows(x, DIM).slice(-20);
    expect(
      relativeError(
        features.slice(-20 * LATENT),
        some.flatMap((row) => naiveFeatures(layout, parameters, row)),
      ),
    ).toBeLessThan(1e-5);
    const expected = rowsOfTexts(queries).flatMap((rows) => {
      const each = rows.map((row) => naiveFeatures(layout, parameters, row));
      return each[0].map((_, j) => sum(each.map((row) => row[j])));
    });
    expect(relativeError(sums, expected)).toBeLessThan(1e-5);
  });

  test.each(['all', 'selected'])('computes targets: %s documents', async (which) => {
    const chosen = which === 'all' ? null : select;
    const { targets, moments } = await on(name, `targets ${which}`, async (one) => {
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
      const { gradients, first, parameters, reports } = await on(
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
          const step = (number: number, at: number, size: number) =>
            training.step({
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
          const report = await step(1, from, rows);
          const [gradients, first] = [
            await training.readGradients(),
            await training.readParameters(),
          ];
          for (let number = 2; number < 5; number++) await step(number, 40 * number, 57);
          const results = {
            gradients,
            first,
            parameters: await training.readParameters(),
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

  test('multiplies rows by rows', async () => {
    const [rows, columns] = [130, 70];
    const [a, b] = [numbers(31).floats(rows * DIM), numbers(32).floats(columns * DIM)];
    const { out } = await on(name, 'inner products', async (one) => {
      const [left, right, target] = [
        await one.upload('f32', a),
        await one.upload('f32', b),
        await one.allocate('f32', rows * columns),
      ];
      await one.innerProducts(left, rows, right, columns, DIM, target);
      const out = await one.read(target);
      one.free(left, right, target);
      return { out };
    });
    const right = tokenRows(b, DIM);
    expect(
      relativeError(
        out,
        tokenRows(a, DIM).flatMap((x) => right.map((y) => dot(x, y))),
      ),
    ).toBeLessThan(1e-6);
  });

  test('encodes weights as prefixes by one scale and as full codes by a scale for each row', async () => {
    const { w, mean, map, step } = weights;
    const { prefix, codes, scales } = await on(name, 'codes', async (one) => {
      const encoded = await encode(one);
      const results = {
        prefix: await one.read(encoded.prefix),
        codes: await one.read(encoded.full),
        scales: await one.read(encoded.scales),
      };
      one.free(...codeTensors(encoded));
      return results;
    });
    const centred = tokenRows(w, LATENT).map((row) => Array.from(row, (v, j) => v - mean[j]));
    const projections = centred.flatMap((row) =>
      tokenRows(map, LATENT).map((direction) => dot(row, direction)),
    );
    for (const [i, value] of projections.entries()) {
      const nearest = Math.max(-127, Math.min(127, value / step));
      expect(Math.abs(prefix[i] - nearest)).toBeLessThan(0.5 + 1e-4);
    }
    expect(prefix.some((code) => Math.abs(code) === 127)).toBe(true);
    for (const [r, row] of centred.entries()) {
      expect(scales[r]).toBeCloseTo(Math.max(...row.map(Math.abs)) / 127, 6);
      for (const [j, value] of row.entries())
        expect(Math.abs(codes[r * LATENT + j] * scales[r] - value)).toBeLessThan(scales[r] * 0.51);
    }
  });

  test.each([
    ['all rows', WEIGHT_ROWS, 10],
    ['a part of the rows', 200, 10],
    ['more than there are', WEIGHT_ROWS, WEIGHT_ROWS + 3],
  ])('finds the rows with the best codes, rescoring %s', async (_what, rescored, k) => {
    const { w, mean, map } = weights;
    const count = 300;
    const q = numbers(36).floats(count * LATENT);
    const prefixes = Float32Array.from(
      tokenRows(q, LATENT).flatMap((row) =>
        tokenRows(map, LATENT).map((direction) => dot(row, direction)),
      ),
    );
    const { indices, scores } = await on(name, `top codes ${rescored} ${k}`, async (one) => {
      const encoded = await encode(one);
      const [full, short] = [await one.upload('f32', q), await one.upload('f32', prefixes)];
      const top = await one.topCodes(encoded, full, short, count, rescored, k);
      one.free(...codeTensors(encoded), full, short);
      return top;
    });
    const centred = tokenRows(w, LATENT).map((row) => Array.from(row, (v, j) => v - mean[j]));
    const kept = Math.min(k, WEIGHT_ROWS);
    let found = 0;
    for (const query of [0, 1, 255, 256, 299]) {
      const products = centred.map((row) =>
        dot(row, q.subarray(query * LATENT, (query + 1) * LATENT)),
      );
      const scale = Math.max(...products.map(Math.abs));
      const listed = Array.from(indices.subarray(query * k, query * k + kept));
      expect(new Set(listed).size).toBe(kept);
      for (const [i, row] of listed.entries()) {
        expect(Math.abs(scores[query * k + i] - products[row])).toBeLessThan(0.02 * scale);
        if (i > 0) expect(scores[query * k + i]).toBeLessThanOrEqual(scores[query * k + i - 1]);
      }
      expect([...indices.subarray(query * k + kept, (query + 1) * k)]).toEqual(
        new Array(k - kept).fill(-1),
      );
      const best = products.map((_, row) => row).sort((a, b) => products[b] - products[a]);
      found += best.slice(0, kept).filter((row) => listed.includes(row)).length / kept;
    }
    // random prefixes say little: rescoring a part misses some
    expect(found / 5).toBeGreaterThan(rescored === WEIGHT_ROWS ? 0.97 : 0.5);
  });

  test('computes the Gram matrix, its factor and the weights of documents', async () => {
    const rows = 290;
    const z = numbers(8).floats(rows * LATENT);
    const { gram, factor, weights, ratio } = await on(name, 'least squares', async (one) => {
      const [features, input] = [
        await one.upload('f32', z),
        await one.upload('f32', x.slice(0, rows * DIM)),
      ];
      const tokens = await uploadTokens(one, sets(documents));
      const matrix = await one.gram(features, rows, LATENT);
      const gram = await matrix.read();
      const ratio = await matrix.factorise();
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
      };
      matrix.close();
      one.free(features, input, out, ...tokenTensors(tokens));
      return results;
    });
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

  test('finds the largest inner products, ties by the lower row, short rows ending in -1', async () => {
    const [rows, dim, k, queryCount] = [1300, 33, 20, 300];
    // small integers, so that ties abound and sums are exact
    const w = Float32Array.from(numbers(9).integers(rows * dim, 1));
    const q = Float32Array.from(numbers(10).integers(queryCount * dim, 1));
    const { indices, scores, few } = await on(name, 'largest inner products', async (one) => {
      const [uploaded, weights] = [await one.upload('f32', q), await one.upload('f32', w)];
      const top = await one.topInnerProducts(uploaded, queryCount, weights, rows, dim, k);
      const short = await one.topInnerProducts(uploaded, 2, weights, 7, dim, k);
      one.free(uploaded, weights);
      return { ...top, few: short.indices };
    });
    const best = (query: number, among: number, wanted: number): { row: number; score: number }[] =>
      Array.from({ length: among }, (_, row) => ({
        row,
        score: dot(
          q.subarray(query * dim, (query + 1) * dim),
          w.subarray(row * dim, (row + 1) * dim),
        ),
      }))
        .sort((a, b) => b.score - a.score || a.row - b.row)
        .slice(0, wanted);
    const expected = Array.from({ length: queryCount }, (_, i) => best(i, rows, k)).flat();
    expect([...indices]).toEqual(expected.map(({ row }) => row));
    expect([...scores]).toEqual(expected.map(({ score }) => score));
    expect([...few]).toEqual(
      [0, 1].flatMap((i) => [
        ...best(i, 7, 7).map(({ row }) => row),
        ...new Array<number>(13).fill(-1),
      ]),
    );
  });

  test('scores all documents and chosen ones by exact MaxSim', async () => {
    const candidates = Int32Array.from([
      70,
      0,
      3,
      3,
      69,
      ...Array.from({ length: 40 }, (_, i) => (i * 3) % count),
    ]);
    // the second and the last query have no candidates
    const offsets = Int32Array.from([0, 2, 2, 5, 40, 45, 45]);
    const { all, chosen } = await on(name, 'MaxSim', async (one) => {
      const [asked, tokens] = [
        await uploadTokens(one, sets(queries)),
        await uploadTokens(one, sets(documents)),
      ];
      const [out, some] = [
        await one.allocate('f32', queries.counts.length * count),
        await one.allocate('f32', candidates.length),
      ];
      const list = await one.upload('i32', candidates);
      await one.maxSim(asked, tokens, out);
      await one.maxSimSubset(asked, tokens, list, offsets, some);
      const results = { all: await one.read(out), chosen: await one.read(some) };
      for (const texts of [asked, tokens]) one.free(texts.vectors, texts.counts, texts.offsets);
      one.free(out, some, list);
      return results;
    });
    const texts = rowsOfTexts(documents);
    const asked = rowsOfTexts(queries);
    const expected = asked.flatMap((query) =>
      texts.map((document) => naiveMaxSim(query, document)),
    );
    expect(relativeError(all, expected)).toBeLessThan(1e-6);
    const subset = asked.flatMap((query, i) =>
      Array.from(candidates.subarray(offsets[i], offsets[i + 1]), (d) =>
        naiveMaxSim(query, texts[d]),
      ),
    );
    expect(relativeError(chosen, subset)).toBeLessThan(1e-6);
  });

  test('takes int8 documents: MaxSim and targets are those of their values, up to the rounding of the other side', async () => {
    const centre = numbers(13).floats(DIM, 0.2);
    const codes = Int8Array.from(numbers(11).integers(documents.vectors.length, 127));
    const scales = numbers(12)
      .floats(count, 0.01)
      .map((scale) => Math.abs(scale) + 0.001);
    const { all, targets } = await on(name, 'int8 documents', async (one) => {
      const asked = await uploadTokens(one, sets(queries));
      const int8 = await uploadTokens(one, {
        ...sets(documents),
        encoding: int8Encoding,
        parameters: centre,
        rows: codes,
        scales,
      });
      const out = await one.allocate('f32', queries.counts.length * count);
      await one.maxSim(asked, int8, out);
      const [rows, learn] = [40, await one.upload('f32', x.slice(0, 40 * DIM))];
      const learned = await one.allocate('f32', rows * count);
      await one.targets(learn, rows, int8, null, learned);
      const results = { all: await one.read(out), targets: await one.read(learned) };
      freeTokens(one, asked);
      freeTokens(one, int8);
      one.free(out, learn, learned);
      return results;
    });
    const values = documents.vectors.slice();
    for (let d = 0, at = 0; d < count; d++)
      for (let i = documents.counts[d] * DIM; i > 0; i--, at++)
        values[at] = codes[at] * scales[d] + centre[at % DIM];
    const texts = rowsOfTexts({ ...documents, vectors: values });
    const expected = rowsOfTexts(queries).flatMap((query) =>
      texts.map((document) => naiveMaxSim(query, document)),
    );
    expect(relativeError(all, expected)).toBeLessThan(3e-4);
    const rows = tokenRows(x, DIM).slice(0, 40);
    const products = rows.flatMap((token) => texts.map((document) => largestDot(token, document)));
    expect(relativeError(targets, products)).toBeLessThan(3e-4);
  });

  test('refuses threads that are no positive integer', async () => {
    for (const threads of [0, -1, 1.5, Number.NaN]) {
      await expect(createCpuDevice(nodePlatform, threads)).rejects.toMatchObject({
        code: 'invalid-argument',
        fields: { where: 'threads' },
      });
    }
  });
});

test('the CPU gives the same bytes with one thread, two threads and unshared memory; the plain kernels the same numbers', async () => {
  expect(made.size).toBeGreaterThan(15);
  for (const [what, by] of made) {
    expect([...by.keys()], what).toEqual(names);
    const [plain, ...others] = [...by.values()];
    const hashes = await Promise.all(others.map(bytesOf));
    expect(new Set(hashes).size, what).toBe(1);
    // Adam's first steps are signs of gradients, which may be tiny
    expect(relativeError(others[0], plain), what).toBeLessThan(
      what.startsWith('training') ? 2e-3 : 1e-5,
    );
  }
});

test.each(['plain', 'two threads', 'unshared memory'])(
  'weights larger than what lives in the kernels’ memory are used by tiles: %s',
  async (name) => {
    const one = device(name);
    const [rows, dim] = [36_000, 1024];
    const w = await one.allocate('f32', rows * dim);
    expect(4 * w.length).toBeGreaterThan(140 * 2 ** 20);
    const part = numbers(13).unitRows(100, dim);
    const at = 35_850;
    await one.write(w, part, at * dim);
    expect(await one.read(w, (at + 99) * dim, (at + 100) * dim)).toEqual(part.slice(99 * dim));
    const queries = await one.upload('f32', part.slice(0, 2 * dim));
    const { indices, scores } = await one.topInnerProducts(queries, 2, w, rows, dim, 3);
    const order = (q: number) =>
      Array.from({ length: 100 }, (_, i) => ({
        row: at + i,
        score: dot(part.subarray(q * dim, (q + 1) * dim), part.subarray(i * dim, (i + 1) * dim)),
      }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 3);
    expect([...indices]).toEqual([...order(0), ...order(1)].map(({ row }) => row));
    expect(
      relativeError(
        scores,
        [...order(0), ...order(1)].map(({ score }) => score),
      ),
    ).toBeLessThan(1e-6);
    one.free(w, queries);
  },
  60_000,
);

function tokenRowsF64(values: Float64Array, n: number): Float64Array[] {
  return Array.from({ length: values.length / n }, (_, r) => values.subarray(r * n, (r + 1) * n));
}
