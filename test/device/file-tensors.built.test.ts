import { truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { CpuArray } from '../../dist/device/cpu/cpu-tensor.js';
import { plainPlatform } from '../../dist/device/cpu/plain-platform.js';
import type { Device } from '../../dist/device/device.js';
import type { DeviceCodes } from '../../dist/device/device-codes.js';
import type { DeviceTokens } from '../../dist/device/device-tokens.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import type { Tensor } from '../../dist/device/memory.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { bytesOf, numbers, randomTexts } from '../numbers.js';
import { checksOf, overwrite, temporaryFiles } from './files.js';

/** A write behind scratch memory fails the job. */
const guarded = { guardScratch: true };
const makers: Record<string, () => Promise<Device>> = {
  plain: () => createCpuDevice(plainPlatform, 1, guarded),
  'one thread': () => createCpuDevice(nodePlatform, 1, guarded),
  'two threads': () => createCpuDevice(nodePlatform, 2, guarded),
  'five threads': () => createCpuDevice(nodePlatform, 5, guarded),
  'unshared memory': () =>
    createCpuDevice({ ...nodePlatform, sharedMemory: false }, undefined, guarded),
};
const names = Object.keys(makers);
const reading = names.filter((name) => name !== 'plain');
const devices = new Map<string, Device>();
const device = (name: string): Device => devices.get(name) as Device;
const files = temporaryFiles();

beforeAll(async () => {
  for (const name of names) devices.set(name, await makers[name]());
});
afterAll(async () => {
  for (const one of devices.values()) await one.close();
  files.remove();
});

const DIM = 23;
const LATENT = 40;
const PREFIX = 12;
/** The last document is longer than a tile. */
const counts = Int32Array.from([
  1,
  2,
  3,
  50,
  ...Array.from({ length: 66 }, (_, i) => 1 + ((i * 7) % 40)),
  1100,
]);
const offsets = rowOffsets(counts);
const documents = counts.length;
const vectors = {
  f32: numbers(1).unitRows(offsets[documents], DIM),
  i8: Int8Array.from(numbers(2).integers(offsets[documents] * DIM, 127)),
};
type Vectors = keyof typeof vectors;
const scales = numbers(3)
  .floats(documents, 0.01)
  .map((factor) => Math.abs(factor) + 0.001);
const centre = numbers(4).floats(DIM, 0.2);
const queries = randomTexts(5, [1, 5, 33, 140], DIM);
const queryCounts = Int32Array.from(queries.counts);

const ROWS = 300;
const codes = {
  prefix: Int8Array.from(numbers(6).integers(ROWS * PREFIX, 127)),
  full: Int8Array.from(numbers(7).integers(ROWS * LATENT, 127)),
  scales: numbers(8)
    .floats(ROWS, 0.1)
    .map((factor) => Math.abs(factor) + 0.01),
};
const rowStarts = Float64Array.from({ length: ROWS + 1 }, (_, i) => i);

/** Where a part's values lie. */
type Lies = 'memory' | 'file';
/** Ends of the parts, in rows, and where each lies. */
type Cut = (rows: number, starts: ArrayLike<number>) => { end: number; lies: Lies }[];
const after = (starts: ArrayLike<number>, texts: readonly number[], lies: (i: number) => Lies) =>
  texts.map((text, i) => ({ end: starts[text], lies: lies(i) }));
const last = (starts: ArrayLike<number>): number => starts.length - 1;
const alternating = (i: number): Lies => (i % 2 === 0 ? 'file' : 'memory');
/** The ways in which values lie; the first is one tensor, the others are concats. */
const cuts: Record<string, Cut> = {
  'in memory, three parts, one of them empty': (_, starts) =>
    after(starts, [9, 9, 40, last(starts)], () => 'memory'),
  'in memory, parts across texts': (rows) => [
    { end: 11, lies: 'memory' },
    { end: 31, lies: 'memory' },
    { end: rows, lies: 'memory' },
  ],
  'one file': (rows) => [{ end: rows, lies: 'file' }],
  'three files, one part empty': (_, starts) =>
    after(starts, [9, 9, 40, last(starts)], () => 'file'),
  'files and memory by turns': (_, starts) =>
    after(starts, [4, 17, 18, 33, 60, last(starts)], alternating),
  'a part for each text': (_, starts) =>
    after(
      starts,
      Array.from({ length: last(starts) }, (_, i) => i + 1),
      alternating,
    ),
  'parts across texts, files and memory': (rows) => [
    { end: 2, lies: 'memory' },
    { end: 7, lies: 'file' },
    { end: 29, lies: 'memory' },
    { end: rows, lies: 'file' },
  ],
};
const inMemory = Object.keys(cuts).filter((cut) => cut.startsWith('in memory'));

/** The values as one tensor, cut as the name says; a single part is attached as it is. */
async function laidOut<D extends 'f32' | 'i8'>(
  one: Device,
  dtype: D,
  values: CpuArray,
  starts: ArrayLike<number>,
  width: number,
  cut: string,
): Promise<Tensor<D>> {
  const parts: Tensor<D>[] = [];
  let from = 0;
  for (const { end, lies } of cuts[cut](starts[last(starts)], starts)) {
    const part = values.subarray(from * width, end * width);
    parts.push(
      lies === 'file'
        ? await one.attach(dtype, part.length, files.write(part as never))
        : await one.upload(dtype, part as never),
    );
    from = end;
  }
  return parts.length === 1 ? parts[0] : one.join(dtype, parts);
}

async function tokensOf(
  one: Device,
  dtype: Vectors,
  tensor: Tensor<'f32'> | Tensor<'i8'>,
): Promise<DeviceTokens> {
  return {
    vectors: tensor,
    counts: await one.upload('i32', counts),
    offsets: await one.upload('i32', Int32Array.from(offsets)),
    scales: dtype === 'i8' ? await one.upload('f32', scales) : null,
    encoding: dtype === 'i8' ? 'int8' : 'float32',
    parameters: dtype === 'i8' ? await one.upload('f32', centre) : null,
    checks: await one.upload('i32', checksOf(vectors[dtype], offsets, DIM)),
    documentCount: documents,
    dim: DIM,
    longest: 1100,
  };
}

/** All that is computed from documents' vectors. */
async function everything(one: Device, tokens: DeviceTokens): Promise<Record<string, CpuArray>> {
  const asked = await uploadTokens(one, {
    ...queries,
    counts: queryCounts,
    offsets: rowOffsets(queryCounts),
  });
  const n = queryCounts.length;
  // plain kernels take many times as long: they get less than a block
  const rows = one.readsFiles ? 290 : 40;
  const x = await one.upload('f32', numbers(9).unitRows(rows, DIM));
  const z = await one.upload('f32', numbers(10).floats(rows * LATENT));
  const all = await one.allocate('f32', n * documents);
  await one.maxSim(asked, tokens, all);
  const list = Int32Array.from({ length: 90 }, (_, i) => (i * 29 + 70) % documents);
  const some = await one.allocate('f32', list.length);
  await one.maxSimSubset(
    asked,
    tokens,
    await one.upload('i32', list),
    Int32Array.of(0, 2, 2, 50, 90),
    some,
  );
  const targets = await one.allocate('f32', rows * documents);
  const sums = await one.targets(x, rows, tokens, null, targets);
  const chosen = await one.allocate('f32', rows * list.length);
  await one.targets(x, rows, tokens, await one.upload('i32', list), chosen);
  const factor = await one.gram(z, rows, LATENT);
  await factor.factorise();
  const out = await one.allocate('f32', documents * LATENT);
  await one.documentWeights({
    x,
    z,
    rows,
    factor,
    documents: tokens,
    mean: 0.4,
    std: 0.2,
    out,
  });
  return {
    maxSim: await one.read(all),
    maxSimSubset: await one.read(some),
    targets: await one.read(targets),
    'sums of targets': Float64Array.of(sums.sum, sums.sumSquares),
    'targets of some': await one.read(chosen),
    documentWeights: await one.read(out),
    'all values': await one.read<'f32' | 'i8'>(tokens.vectors),
    'some values': await one.read<'f32' | 'i8'>(tokens.vectors, 3, 700),
    'values past the end': await one.read<'f32' | 'i8'>(
      tokens.vectors,
      tokens.vectors.length - 5,
      tokens.vectors.length + 5,
    ),
  };
}

async function codesOf(one: Device, cut: string | null): Promise<DeviceCodes> {
  const { prefix, full } = codes;
  const prefixCut = cut && !inMemory.includes(cut) ? inMemory[1] : cut;
  return {
    rows: ROWS,
    dim: LATENT,
    prefixDim: PREFIX,
    prefix: prefixCut
      ? await laidOut(one, 'i8', prefix, rowStarts, PREFIX, prefixCut)
      : await one.upload('i8', prefix, { resident: true }),
    full: cut
      ? await laidOut(one, 'i8', full, rowStarts, LATENT, cut)
      : await one.upload('i8', full),
    scales: await one.upload('f32', codes.scales),
    checks: await one.upload('i32', checksOf(full, rowStarts, LATENT)),
  };
}

async function topOf(one: Device, held: DeviceCodes): Promise<Record<string, CpuArray>> {
  const found: Record<string, CpuArray> = {};
  for (const [count, rescored, k] of [
    [1, 130, 10],
    [1, ROWS, ROWS + 2],
    [2, 65, 20],
    [30, 100, 20],
  ]) {
    const q = await one.upload('f32', numbers(11).floats(count * LATENT));
    const short = await one.upload('f32', numbers(12).floats(count * PREFIX));
    const { indices, scores } = await one.topCodes(held, q, short, count, rescored, k);
    found[`rows: ${count} ${rescored} ${k}`] = indices;
    found[`scores: ${count} ${rescored} ${k}`] = scores;
  }
  return found;
}

async function expectSame(
  got: Record<string, CpuArray>,
  expected: Record<string, CpuArray>,
): Promise<void> {
  for (const [what, values] of Object.entries(expected)) {
    expect(got[what].constructor, what).toBe(values.constructor);
    expect(await bytesOf(got[what]), what).toBe(await bytesOf(values));
  }
}

/** What plain tensors give on a device, worked out once. */
const expectations = new Map<string, Promise<Record<string, CpuArray>>>();
function expectation(name: string, what: Vectors | 'codes'): Promise<Record<string, CpuArray>> {
  const key = `${name} ${what}`;
  const one = device(name);
  const made =
    expectations.get(key) ??
    (async () => {
      if (what === 'codes') return topOf(one, await codesOf(one, null));
      return everything(
        one,
        await tokensOf(one, what, await one.upload<Vectors>(what, vectors[what])),
      );
    })();
  expectations.set(key, made);
  return made;
}

describe.each(names)('a device: %s', (name) => {
  const possible = name === 'plain' ? inMemory : Object.keys(cuts);

  describe.each(possible)('values that lie in %s', (cut) => {
    test.each(['f32', 'i8'] as const)(
      'documents of %s give the bytes of a plain tensor in everything',
      async (dtype) => {
        const one = device(name);
        const tensor = await laidOut<Vectors>(one, dtype, vectors[dtype], offsets, DIM, cut);
        expect(tensor).toMatchObject({ dtype, length: vectors[dtype].length });
        await expectSame(
          await everything(one, await tokensOf(one, dtype, tensor as Tensor<'i8'>)),
          await expectation(name, dtype),
        );
      },
    );

    test('codes give the same rows and scores', async () => {
      const one = device(name);
      await expectSame(await topOf(one, await codesOf(one, cut)), await expectation(name, 'codes'));
    });
  });

  test('joins nothing to an empty tensor, and joins to one of their parts', async () => {
    const one = device(name);
    const none = await one.join('f32', []);
    expect(none.length).toBe(0);
    expect(await one.read(none)).toEqual(new Float32Array());
    const [a, b] = [
      await one.upload('i8', Int8Array.of(1, 2)),
      await one.upload('i8', Int8Array.of(3)),
    ];
    const inner = await one.join('i8', [a, b]);
    const outer = await one.join('i8', [inner, await one.join('i8', []), a]);
    one.free(inner);
    expect(await one.read(outer)).toEqual(Int8Array.of(1, 2, 3, 1, 2));
    expect(await one.read(outer, 2, 4)).toEqual(Int8Array.of(3, 1));
    one.free(outer);
    expect(await one.read(a)).toEqual(Int8Array.of(1, 2));
    await expect(one.read(outer)).rejects.toMatchObject({ code: 'closed' });
    await expect(one.join('i8', [inner])).rejects.toMatchObject({ code: 'closed' });
  });

  test('refuses parts of another type, and writing where a tensor has no memory of its own', async () => {
    const one = device(name);
    const part = await one.upload('i8', Int8Array.of(1, 2));
    await expect(one.join('f32', [part as never])).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'parts: expected tensors of f32, got one of i8',
    });
    await expect(one.write(await one.join('i8', [part]), Int8Array.of(5))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    expect(await one.read(part)).toEqual(Int8Array.of(1, 2));
  });
});

test('a device whose workers have no files says so and refuses them', async () => {
  const one = device('plain');
  expect(one.readsFiles).toBe(false);
  await expect(
    one.attach('i8', 3, { descriptor: 0, offset: 0, name: 'a.seg' }),
  ).rejects.toMatchObject({
    code: 'unsupported',
    fields: { where: 'a.seg' },
  });
});

describe.each(reading)('files on a device: %s', (name) => {
  test('are refused with numbers that none can have, and cannot be written', async () => {
    const one = device(name);
    expect(one.readsFiles).toBe(true);
    for (const [length, offset] of [
      [-1, 0],
      [1.5, 0],
      [3, -1],
      [3, Number.NaN],
    ]) {
      await expect(
        one.attach('f32', length, { descriptor: 3, offset, name: 'a.seg' }),
      ).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    const attached = await one.attach('i8', 3, files.write(Int8Array.of(1, 2, 3)));
    await expect(one.write(attached, Int8Array.of(5))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    expect(await one.read(attached)).toEqual(Int8Array.of(1, 2, 3));
  });

  test('are read whole where they are larger than what is asked for at once', async () => {
    const one = device(name);
    const length = 2 ** 25 + 2 ** 24 + 5;
    const file = files.write(new Int8Array());
    truncateSync(file.path, file.offset);
    truncateSync(file.path, file.offset + length);
    const places = [0, 2 ** 25 - 1, 2 ** 25, length - 1];
    for (const at of places) overwrite(file.path, file.offset + at, 7);
    const values = await one.read(await one.attach('i8', length, file));
    expect(values.length).toBe(length);
    expect(places.map((at) => values[at])).toEqual([7, 7, 7, 7]);
    expect(values.reduce((sum, value) => sum + value, 0)).toBe(28);
  });

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
    const tokens = await tokensOf(
      one,
      dtype,
      (await one.join<Vectors>(dtype, parts)) as Tensor<'i8'>,
    );
    return { tokens, tail };
  }
  /** MaxSim of the first query with chosen documents. */
  async function score(
    one: Device,
    tokens: DeviceTokens,
    list: readonly number[],
  ): Promise<Float32Array> {
    const asked = await uploadTokens(one, {
      ...queries,
      counts: queryCounts,
      offsets: rowOffsets(queryCounts),
    });
    const out = await one.allocate('f32', list.length);
    const ends = Int32Array.of(0, list.length, list.length, list.length, list.length);
    await one.maxSimSubset(
      asked,
      tokens,
      await one.upload('i32', Int32Array.from(list)),
      ends,
      out,
    );
    return one.read(out);
  }

  test.each(['f32', 'i8'] as const)(
    'with a damaged byte fail every call that reads its text of %s, by name, and no other',
    async (dtype) => {
      const one = device(name);
      const { tokens, tail } = await twoFiles(one, dtype);
      const intact = await score(one, tokens, [45, 47, 3, 46]);
      const size = dtype === 'i8' ? 1 : 4;
      overwrite(tail.path, tail.offset + (offsets[46] - offsets[40]) * DIM * size + 2, 0x5a);
      const error = {
        name: 'LemurError',
        code: 'bad-file',
        message: expect.stringMatching(
          /segment-\d+: text 46: checksum [0-9a-f]{8}, expected [0-9a-f]{8}: the file is damaged$/,
        ),
        fields: { where: tail.path },
      };
      await expect(score(one, tokens, [45, 46])).rejects.toMatchObject(error);
      await expect(score(one, tokens, [46])).rejects.toMatchObject(error);
      await expect(everything(one, tokens)).rejects.toMatchObject(error);
      const x = await one.upload('f32', numbers(9).unitRows(300, DIM));
      const out = await one.allocate('f32', 300 * documents);
      await expect(one.targets(x, 300, tokens, null, out)).rejects.toMatchObject(error);
      expect(one.closed).toBe(false);
      expect(await score(one, tokens, [45, 47, 3])).toEqual(intact.slice(0, 3));
      // without checks nothing is noticed
      expect(await score(one, { ...tokens, checks: null }, [45, 47, 3, 46])).toHaveLength(4);
    },
  );

  test('that end too early fail calls that read what is missing, and reading it', async () => {
    const one = device(name);
    const { tokens, tail } = await twoFiles(one, 'i8');
    const intact = await score(one, tokens, [44, 3]);
    truncateSync(tail.path, tail.offset + (offsets[46] - offsets[40]) * DIM + 3);
    const error = {
      code: 'bad-file',
      message: expect.stringContaining('the file is truncated'),
      fields: { where: tail.path },
    };
    await expect(score(one, tokens, [44, 46, 3])).rejects.toMatchObject(error);
    await expect(score(one, { ...tokens, checks: null }, [50])).rejects.toMatchObject(error);
    await expect(one.read<'f32' | 'i8'>(tokens.vectors)).rejects.toMatchObject(error);
    expect(await score(one, tokens, [44, 3])).toEqual(intact);
    expect(await one.read<'f32' | 'i8'>(tokens.vectors, 0, 100)).toEqual(vectors.i8.slice(0, 100));
  });

  test('that cannot be read fail by name', async () => {
    const one = device(name);
    const attached = await one.attach('i8', 3, {
      descriptor: 999_999,
      offset: 0,
      name: 'gone.seg',
    });
    await expect(one.read(attached)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(/^gone\.seg: cannot be read: .*EBADF/),
      fields: { where: 'gone.seg' },
    });
    expect(one.closed).toBe(false);
  });

  test.each([1, 20])(
    'with damaged codes fail searches of %i queries that rescore them',
    async (count) => {
      const one = device(name);
      const file = files.write(codes.full);
      const held = {
        ...(await codesOf(one, null)),
        full: await one.attach('i8', ROWS * LATENT, file),
      };
      const q = await one.upload('f32', numbers(11).floats(count * LATENT));
      const short = await one.upload('f32', numbers(12).floats(count * PREFIX));
      const search = () => one.topCodes(held, q, short, count, ROWS, 5);
      const intact = await search();
      const at = file.offset + 123 * LATENT + 7;
      overwrite(file.path, at, codes.full[123 * LATENT + 7] ^ 1);
      await expect(search()).rejects.toMatchObject({
        code: 'bad-file',
        message: expect.stringContaining('text 123: checksum'),
        fields: { where: file.path },
      });
      overwrite(file.path, at, codes.full[123 * LATENT + 7]);
      expect(await search()).toEqual(intact);
    },
  );
});

test('where values lie, and the number of threads, change no byte of any result', async () => {
  for (const what of ['f32', 'i8', 'codes'] as const) {
    const [first, ...others] = await Promise.all(reading.map((name) => expectation(name, what)));
    for (const other of others) await expectSame(other, first);
  }
});
