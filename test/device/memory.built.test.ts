import { describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { dot, numbers, relativeError } from '../numbers.js';
import { devicesFor, SEARCHING } from './devices.js';

const device = devicesFor(SEARCHING);

describe.each(SEARCHING)('the memory of a device: %s', (name) => {
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
  test('joins tensors end to end, and none to an empty one', async () => {
    const one = device(name);
    const parts = [
      await one.upload('i8', Int8Array.of(1, 2)),
      await one.upload('i8', Int8Array.of()),
      await one.upload('i8', Int8Array.of(-3)),
    ];
    expect(await one.read(await one.join('i8', parts))).toEqual(Int8Array.of(1, 2, -3));
    expect((await one.join('f32', [])).length).toBe(0);
  });
});

test('a device refuses threads that are no positive integer', async () => {
  for (const threads of [0, -1, 1.5, Number.NaN]) {
    await expect(createCpuDevice(nodePlatform, threads)).rejects.toMatchObject({
      code: 'invalid-argument',
      fields: { where: 'threads' },
    });
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
