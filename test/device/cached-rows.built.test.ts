import { afterAll, describe, expect, test } from 'vitest';
import { joined } from '../../dist/device/cpu/tensor-location.js';
import { CLAIMED } from '../../dist/device/cpu/worker/cached-rows.js';
import { createWorkerTensors } from '../../dist/device/cpu/worker/worker-tensors.js';
import type { Device } from '../../dist/device/device.js';
import type { DeviceTokens } from '../../dist/device/device-tokens.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import type { Tensor } from '../../dist/device/memory.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { numbers } from '../numbers.js';
import { type CpuDeviceName, cpuDevicesFor } from './devices.js';
import { overwrite, temporaryFiles } from './files.js';
import {
  codes,
  codesOf,
  DIM,
  everything,
  LATENT,
  offsets,
  PREFIX,
  queries,
  queryCounts,
  ROWS,
  tokensOf,
  type Vectors,
  vectors,
} from './held-values.js';

const caching: readonly CpuDeviceName[] = ['two threads', 'five threads'];
const files = temporaryFiles();
// after the devices are closed
afterAll(() => files.remove());
const device = cpuDevicesFor([...caching, 'unshared memory']);

/** Documents of two files; the second begins with document 40. */
async function twoFiles(one: Device, dtype: Vectors) {
  const at = offsets[40] * DIM;
  const [head, tail] = [
    files.write(vectors[dtype].subarray(0, at)),
    files.write(vectors[dtype].subarray(at)),
  ];
  const parts = [
    await one.attach<Vectors>(dtype, at, head),
    await one.attach<Vectors>(dtype, vectors[dtype].length - at, tail),
  ];
  const whole = (await one.join<Vectors>(dtype, parts)) as Tensor<'i8'>;
  return { tokens: await tokensOf(one, dtype, whole), parts, head, tail };
}

/** MaxSim of the first query with chosen documents. */
async function score(one: Device, tokens: DeviceTokens, list: readonly number[]) {
  const asked = await uploadTokens(one, {
    ...queries,
    counts: queryCounts,
    offsets: rowOffsets(queryCounts),
  });
  const out = await one.allocate('f32', list.length);
  const ends = Int32Array.of(0, list.length, list.length, list.length, list.length);
  await one.maxSimSubset(asked, tokens, await one.upload('i32', Int32Array.from(list)), ends, out);
  return one.read(out);
}

test.each(['f32', 'i8'] as const)(
  'cached rows of files give what the file gives, of %s',
  async (dtype) => {
    const one = device('two threads');
    const { tokens, parts } = await twoFiles(one, dtype);
    const expected = await everything(one, tokens);
    // what has been read of the second alone, and of both, while the first is read
    for (const part of parts.toReversed()) {
      expect(await one.cacheRows?.(part, DIM)).toBe(true);
      expect(await everything(one, tokens)).toEqual(expected);
    }
    expect(await everything(one, tokens)).toEqual(expected);
  },
);

describe.each(caching)('cached rows of files: %s', (name) => {
  test('are read from the file once, and held to their checksums then', async () => {
    const one = device(name);
    const { tokens, parts, tail } = await twoFiles(one, 'i8');
    const intact = await score(one, tokens, [45, 47, 3, 46]);
    for (const part of parts) await one.cacheRows?.(part, DIM);
    expect(await score(one, tokens, [45, 3])).toEqual(Float32Array.of(intact[0], intact[2]));
    for (const document of [45, 46]) {
      const at = tail.offset + (offsets[document] - offsets[40]) * DIM;
      overwrite(tail.path, at, vectors.i8[offsets[document] * DIM] ^ 1);
    }
    expect(await score(one, tokens, [45, 47, 3])).toEqual(intact.slice(0, 3));
    const error = {
      code: 'bad-file',
      message: expect.stringContaining('text 46: checksum'),
      fields: { where: tail.path },
    };
    // what was damaged when it was read is not cached
    for (let time = 0; time < 2; time++) {
      await expect(score(one, tokens, [45, 46])).rejects.toMatchObject(error);
    }
    overwrite(
      tail.path,
      tail.offset + (offsets[46] - offsets[40]) * DIM,
      vectors.i8[offsets[46] * DIM],
    );
    for (let time = 0; time < 2; time++)
      expect(await score(one, tokens, [45, 47, 3, 46])).toEqual(intact);
  });

  test.each([1, 20])('of codes are read once by searches of %i queries', async (count) => {
    const one = device(name);
    const middle = 100 * LATENT;
    const [head, tail] = [
      files.write(codes.full.subarray(0, middle)),
      files.write(codes.full.subarray(middle)),
    ];
    const parts = [
      await one.attach('i8', middle, head),
      await one.attach('i8', codes.full.length - middle, tail),
    ];
    const prefix = await one.upload('i8', codes.prefix, { resident: true });
    const held = await codesOf(one, prefix, await one.join('i8', parts));
    const q = await one.upload('f32', numbers(11).floats(count * LATENT));
    const short = await one.upload('f32', numbers(12).floats(count * PREFIX));
    const search = () => one.topCodes(held, q, short, count, ROWS, 5);
    const intact = await search();
    // the first file stays as it is
    expect(await one.cacheRows?.(parts[1], LATENT)).toBe(true);
    expect(await search()).toEqual(intact);
    overwrite(tail.path, tail.offset + 7, codes.full[middle + 7] ^ 1);
    expect(await search()).toEqual(intact);
    overwrite(head.path, head.offset + 7, codes.full[7] ^ 1);
    await expect(search()).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('text 0: checksum'),
      fields: { where: head.path },
    });
  });

  test('are not those that nobody checked', async () => {
    const one = device(name);
    const { tokens, parts, tail } = await twoFiles(one, 'i8');
    for (const part of parts) await one.cacheRows?.(part, DIM);
    const intact = await score(one, { ...tokens, checks: null }, [45]);
    const at = tail.offset + (offsets[45] - offsets[40]) * DIM;
    overwrite(tail.path, at, vectors.i8[offsets[45] * DIM] ^ 64);
    expect(await score(one, { ...tokens, checks: null }, [45])).not.toEqual(intact);
    await expect(score(one, tokens, [45])).rejects.toMatchObject({ code: 'bad-file' });
  });

  test('give their memory back with their tensor, however often', async () => {
    const one = device(name);
    // 40 of them at once would be beyond what there is for caches
    for (let time = 0; time < 40; time++) {
      const file = files.write(Int8Array.of(1, 2));
      const large = await one.attach('i8', 2 ** 26, file);
      expect(await one.cacheRows?.(large, 2 ** 16), `${time}`).toBe(true);
      expect(await one.cacheRows?.(large, 2 ** 16)).toBe(true);
      one.free(large);
      await expect(one.cacheRows?.(large, 2 ** 16)).rejects.toMatchObject({ code: 'closed' });
    }
  });

  test('leave half of the kernels’ memory to all else', async () => {
    const one = device(name);
    const file = files.write(Int8Array.of(1, 2));
    const large = await one.attach('i8', 2 ** 31, file);
    expect(await one.cacheRows?.(large, 2 ** 16)).toBe(false);
    one.free(large);
  });
});

test('nothing is cached where a tensor is not in a file, or memory is not shared', async () => {
  const one = device('two threads');
  expect(await one.cacheRows?.(await one.upload('i8', Int8Array.of(1, 2)), 1)).toBe(false);
  const other = device('unshared memory');
  const { tokens, parts } = await twoFiles(other, 'i8');
  expect(await other.cacheRows?.(parts[0], DIM)).toBe(false);
  expect(await score(other, tokens, [3])).toHaveLength(1);
});

describe('cached rows of a worker', () => {
  const rows = Int8Array.from({ length: 24 }, (_, i) => i);
  const file: Tensor<'i8'> = { id: 1, dtype: 'i8', length: 12 };
  const other: Tensor<'i8'> = { id: 2, dtype: 'i8', length: 6 };
  const whole: Tensor<'i8'> = { id: 3, dtype: 'i8', length: 18 };
  const [ADDRESS, STATES, SOURCE] = [1024, 2048, 4096];

  function tensorsOf() {
    const memory = new WebAssembly.Memory({ initial: 1 });
    new Int8Array(memory.buffer).set(rows, SOURCE);
    const tensors = createWorkerTensors(() => memory, undefined);
    const values = { descriptor: 0, offset: 0, name: 'a.seg' };
    const cache = { address: ADDRESS, rowLength: 3, states: STATES };
    tensors.set(file.id, { kind: 'file', file: values, cache });
    tensors.set(other.id, { kind: 'file', file: { ...values, name: 'b.seg' } });
    tensors.set(whole.id, joined([other, file]));
    return { memory, tensors };
  }

  test('lie together in memory where all of a range are there, in a joined tensor too', () => {
    const { memory, tensors } = tensorsOf();
    expect(tensors.address(file, 3, 9)).toBe(-1);
    tensors.cache(whole, 9, 15, SOURCE);
    expect(tensors.address(file, 3, 9)).toBe(ADDRESS + 3);
    expect(tensors.address(file, 6, 9)).toBe(ADDRESS + 6);
    expect(tensors.address(whole, 9, 12)).toBe(ADDRESS + 3);
    expect([...new Int8Array(memory.buffer, ADDRESS, 12)]).toEqual([
      0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0,
    ]);
    for (const [from, to] of [
      [0, 6],
      [0, 3],
      [6, 12],
      [9, 9],
    ])
      expect(tensors.address(file, from, to), `${from} to ${to}`).toBe(-1);
    // beyond the file that has a cache
    expect(tensors.address(whole, 3, 12)).toBe(-1);
    tensors.cache(whole, 3, 12, SOURCE);
    tensors.cache(other, 0, 3, SOURCE);
    expect([tensors.address(whole, 3, 6), tensors.address(other, 0, 3)]).toEqual([-1, -1]);
    expect(tensors.file(file, 3, 9)).toBe('a.seg');
  });

  test('are there however many were cached together', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const tensors = createWorkerTensors(() => memory, undefined);
    const many: Tensor<'i8'> = { id: 9, dtype: 'i8', length: 1000 };
    const cache = { address: ADDRESS, rowLength: 1, states: SOURCE };
    const values = { descriptor: 0, offset: 0, name: 'a.seg' };
    tensors.set(many.id, { kind: 'file', file: values, cache });
    const cached = [
      [10, 310],
      [310, 311],
      [400, 910],
    ];
    const source = 2 ** 14;
    new Int8Array(memory.buffer, source, 510).fill(7);
    for (const [from, to] of cached) tensors.cache(many, from, to, source);
    for (const from of [9, 10, 11, 57, 309, 310, 311, 399, 400, 655, 909]) {
      for (const to of [11, 264, 265, 310, 311, 312, 401, 654, 910, 911]) {
        if (to <= from) continue;
        const isThere = (from >= 10 && to <= 311) || (from >= 400 && to <= 910);
        expect(tensors.address(many, from, to), `${from} to ${to}`).toBe(
          isThere ? ADDRESS + from : -1,
        );
      }
    }
    const bytes = [...new Int8Array(memory.buffer, ADDRESS, 1000)];
    expect(bytes.map((byte) => byte === 7)).toEqual(
      bytes.map((_, i) => cached.some(([from, to]) => i >= from && i < to)),
    );
  });

  test('are never changed, nor touched where another worker is about to copy them', () => {
    const { memory, tensors } = tensorsOf();
    tensors.cache(file, 0, 3, SOURCE);
    tensors.cache(file, 0, 3, SOURCE + 9);
    expect([...new Int8Array(memory.buffer, ADDRESS, 3)]).toEqual([0, 1, 2]);
    new Uint8Array(memory.buffer)[STATES + 1] = CLAIMED;
    tensors.cache(file, 3, 6, SOURCE + 9);
    expect([...new Int8Array(memory.buffer, ADDRESS + 3, 3)]).toEqual([0, 0, 0]);
    expect(tensors.address(file, 3, 6)).toBe(-1);
  });
});
