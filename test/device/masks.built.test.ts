import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Device } from '../../dist/device/device.js';
import type { DeviceCodes } from '../../dist/device/device-codes.js';
import type { Tensor } from '../../dist/device/memory.js';
import { dot, numbers } from '../numbers.js';
import { type CpuDeviceName, cpuDevicesFor, GPU_DEVICES } from './devices.js';

const names: readonly CpuDeviceName[] = ['plain', 'one thread', 'two threads', ...GPU_DEVICES];
const device = cpuDevicesFor(names);

/** More than one block of either search, and a last one that is not full. */
const ROWS = 4500;
const DIM = 6;
const PREFIX = 4;
const QUERIES = 3;
// few values, so that ties abound
const w = Float32Array.from(numbers(1).integers(ROWS * DIM, 2));
const q = Float32Array.from(numbers(2).integers(QUERIES * DIM, 2));
const prefixes = Float32Array.from(numbers(3).integers(QUERIES * PREFIX, 100));
const prefix = Int8Array.from(numbers(4).integers(ROWS * PREFIX, 127));
const codes = Int8Array.from(numbers(5).integers(ROWS * DIM, 3));
const scales = Float32Array.from(numbers(6).integers(ROWS, 2), (value) => 1 + Math.abs(value));

/** Masks: nothing, few rows, most rows, whole blocks and tiles out, all. */
const mask = fc.oneof(
  fc.constantFrom(0, 1).map((value) => new Int8Array(ROWS).fill(value)),
  fc.uniqueArray(fc.integer({ min: 0, max: ROWS - 1 }), { maxLength: 12 }).map((rows) => {
    const allowed = new Int8Array(ROWS);
    for (const row of rows) allowed[row] = -5;
    return allowed;
  }),
  fc.uniqueArray(fc.integer({ min: 0, max: ROWS - 1 }), { maxLength: 40 }).map((rows) => {
    const allowed = new Int8Array(ROWS).fill(1);
    for (const row of rows) allowed[row] = 0;
    return allowed;
  }),
  fc
    .tuple(fc.integer({ min: 0, max: ROWS }), fc.integer({ min: 0, max: ROWS }))
    .map(([a, b]) => new Int8Array(ROWS).fill(1, Math.min(a, b), Math.max(a, b))),
  fc.integer().map((seed) => Int8Array.from(numbers(seed).integers(ROWS, 1))),
);
const allowedOf = (allowed: Int8Array): number[] =>
  Array.from(allowed, (_, row) => row).filter((row) => allowed[row] !== 0);

async function codesOf(one: Device, rows: readonly number[]): Promise<DeviceCodes> {
  const pick = (values: Int8Array, width: number) =>
    Int8Array.from(rows.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
  return {
    rows: rows.length,
    dim: DIM,
    prefixDim: PREFIX,
    prefix: await one.upload('i8', pick(prefix, PREFIX)),
    full: await one.upload('i8', pick(codes, DIM)),
    scales: await one.upload(
      'f32',
      Float32Array.from(rows, (row) => scales[row]),
    ),
    checks: null,
  };
}

describe.each(names)('rows left out by a mask: %s', (name) => {
  test('of largest inner products: what remains is sorted out of all by its formula', {
    timeout: 60_000,
  }, async () => {
    const one = device(name);
    const [queries, weights] = [await one.upload('f32', q), await one.upload('f32', w)];
    const products = Array.from({ length: QUERIES }, (_, i) =>
      Array.from({ length: ROWS }, (_, row) =>
        dot(q.subarray(i * DIM, (i + 1) * DIM), w.subarray(row * DIM, (row + 1) * DIM)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(mask, fc.constantFrom(1, 7, 200, ROWS + 2), async (allowed, k) => {
        const given = await one.upload('i8', allowed);
        const { indices, scores } = await one.topInnerProducts(
          queries,
          QUERIES,
          weights,
          ROWS,
          DIM,
          k,
          { allowed: given },
        );
        one.free(given);
        for (const [i, values] of products.entries()) {
          const expected = allowedOf(allowed)
            .sort((a, b) => values[b] - values[a] || a - b)
            .slice(0, k);
          const rest = new Array<number>(k - expected.length).fill(-1);
          expect([...indices.subarray(i * k, (i + 1) * k)]).toEqual([...expected, ...rest]);
          expect([...scores.subarray(i * k, i * k + expected.length)]).toEqual(
            expected.map((row) => values[row]),
          );
        }
      }),
      { numRuns: 25 },
    );
    one.free(queries, weights);
  });

  test('of codes: the same as if those rows were not there', { timeout: 60_000 }, async () => {
    const one = device(name);
    const everything = Array.from({ length: ROWS }, (_, row) => row);
    const held = await codesOf(one, everything);
    await fc.assert(
      fc.asyncProperty(
        mask,
        fc.constantFrom(1, QUERIES),
        fc.constantFrom([3, 2], [50, 7], [50, 80], [ROWS, 20]),
        async (allowed, count, [rescored, k]) => {
          const [queries, short] = [
            await one.upload('f32', q.slice(0, count * DIM)),
            await one.upload('f32', prefixes.slice(0, count * PREFIX)),
          ];
          const given = await one.upload('i8', allowed);
          const remaining = allowedOf(allowed);
          const { indices, scores } = await one.topCodes(held, queries, short, count, rescored, k, {
            allowed: given,
          });
          const fewer = await codesOf(one, remaining);
          const expected =
            remaining.length > 0
              ? await one.topCodes(fewer, queries, short, count, rescored, k)
              : {
                  indices: new Int32Array(count * k).fill(-1),
                  scores: new Float32Array(count * k),
                };
          expect(indices).toEqual(expected.indices.map((i) => (i < 0 ? -1 : remaining[i])));
          expect(scores).toEqual(expected.scores);
          one.free(given, queries, short, fewer.prefix, fewer.full, fewer.scales);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('of codes, all of them rescored: the list of all rows without those', async () => {
    const one = device(name);
    const held = await codesOf(
      one,
      Array.from({ length: ROWS }, (_, row) => row),
    );
    const [queries, short] = [await one.upload('f32', q), await one.upload('f32', prefixes)];
    const all = await one.topCodes(held, queries, short, QUERIES, ROWS, ROWS);
    const allowed = Int8Array.from(numbers(9).integers(ROWS, 1));
    const { indices, scores } = await one.topCodes(held, queries, short, QUERIES, ROWS, 100, {
      allowed: await one.upload('i8', allowed),
    });
    for (let i = 0; i < QUERIES; i++) {
      const kept = Array.from(all.indices.subarray(i * ROWS, (i + 1) * ROWS), (row, at) => ({
        row,
        score: all.scores[i * ROWS + at],
      }))
        .filter(({ row }) => allowed[row] !== 0)
        .slice(0, 100);
      expect([...indices.subarray(i * 100, (i + 1) * 100)]).toEqual(kept.map(({ row }) => row));
      expect([...scores.subarray(i * 100, (i + 1) * 100)]).toEqual(kept.map(({ score }) => score));
    }
  });

  test('is refused where it is not of one value a row', async () => {
    const one = device(name);
    const held = await codesOf(one, [0, 1, 2]);
    const [queries, short] = [await one.upload('f32', q), await one.upload('f32', prefixes)];
    const allowed = await one.upload('i8', Int8Array.of(1, 1));
    const error = {
      code: 'invalid-argument',
      message: 'allowed: expected a value for each of 3 rows, got 2',
      fields: { where: 'allowed' },
    };
    await expect(
      one.topCodes(held, queries, short, QUERIES, 3, 3, { allowed }),
    ).rejects.toMatchObject(error);
    const weights: Tensor<'f32'> = await one.upload('f32', w);
    await expect(
      one.topInnerProducts(queries, QUERIES, weights, 3, DIM, 3, { allowed }),
    ).rejects.toMatchObject(error);
  });
});

test('rows left out never return, whatever their values are', async () => {
  for (const name of names) {
    const one = device(name);
    const weights = Float32Array.from(
      { length: 1200 * DIM },
      (_, i) => [Number.NaN, Infinity, -Infinity, 1e30][Math.floor(i / DIM) % 4],
    );
    for (const row of [5, 700]) weights.fill(-1e20, row * DIM, (row + 1) * DIM);
    const allowed = new Int8Array(1200);
    for (const row of [5, 700]) allowed[row] = 1;
    const ones = new Float32Array(DIM).fill(1);
    const given = { allowed: await one.upload('i8', allowed) };
    const { indices } = await one.topInnerProducts(
      await one.upload('f32', ones),
      1,
      await one.upload('f32', weights),
      1200,
      DIM,
      4,
      given,
    );
    expect([...indices]).toEqual([5, 700, -1, -1]);
  }
});
