import { truncateSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
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
  documents,
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

const reading: readonly CpuDeviceName[] = [
  'one thread',
  'two threads',
  'five threads',
  'unshared memory',
];
const files = temporaryFiles();
// after the devices are closed
afterAll(() => files.remove());
const device = cpuDevicesFor(['plain', ...reading]);

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
      const held = await codesOf(
        one,
        await one.upload('i8', codes.prefix, { resident: true }),
        await one.attach('i8', ROWS * LATENT, file),
      );
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
