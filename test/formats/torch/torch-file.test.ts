import { describe, expect, test } from 'vitest';
import { readTorchFile, type TorchTensor } from '../../../src/formats/torch/torch-file.js';
import { bytes, global, pickle, storage, tensor, torchFile, zip } from './torch-bytes.js';

const raw = (
  values: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint16Array,
): Uint8Array => new Uint8Array(values.buffer);
const floats = raw(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
const eight = storage('FloatStorage', '0', 8);

async function only(
  source: Uint8Array,
  data: Uint8Array,
  offset: number,
  shape: number[],
  strides: number[],
): Promise<TorchTensor> {
  return (await readTorchFile(
    torchFile(pickle(tensor(source, offset, shape, strides)), { 0: data }),
    'x.pt',
  )) as TorchTensor;
}

describe('a torch file', () => {
  test.each<[string, number, number[], number[], number[]]>([
    ['whole', 0, [2, 4], [4, 1], [0, 1, 2, 3, 4, 5, 6, 7]],
    ['from an offset', 3, [4], [1], [3, 4, 5, 6]],
    ['transposed', 0, [4, 2], [1, 4], [0, 4, 1, 5, 2, 6, 3, 7]],
    ['every second column of a part', 1, [2, 2], [4, 2], [1, 3, 5, 7]],
    ['three axes, turned', 0, [2, 2, 2], [1, 4, 2], [0, 2, 4, 6, 1, 3, 5, 7]],
    ['one value', 5, [], [], [5]],
    ['one row with any stride', 2, [1, 3], [99, 1], [2, 3, 4]],
    ['empty', 8, [0, 3], [3, 1], []],
  ])('gives a tensor row by row: %s', async (_name, offset, shape, strides, expected) => {
    const read = await only(eight, floats, offset, shape, strides);
    expect(read.shape).toEqual(shape);
    expect([...read.data]).toEqual(expected);
  });

  test.each<[string, Uint8Array, number[]]>([
    ['DoubleStorage', raw(Float64Array.of(1.5, -2)), [1.5, -2]],
    ['HalfStorage', raw(Uint16Array.of(0x3c00, 0xc000)), [1, -2]],
    ['BFloat16Storage', raw(Uint16Array.of(0x3f80, 0xc000)), [1, -2]],
    ['IntStorage', raw(Int32Array.of(7, -8)), [7, -8]],
    ['LongStorage', raw(BigInt64Array.of(7n, -8n)), [7, -8]],
  ])('gives the values of a %s as float32', async (type, data, expected) => {
    const { data: read } = await only(storage(type, '0', 2), data, 0, [2], [1]);
    expect(read).toBeInstanceOf(Float32Array);
    expect([...read]).toEqual(expected);
  });

  test.each<[string, number, number[], number[]]>([
    ['begins behind its storage', 8, [1], [1]],
    ['ends behind its storage', 1, [8], [1]],
    ['has strides beyond its storage', 0, [2, 4], [5, 1]],
    ['claims 2^50 values', 0, [2 ** 25, 2 ** 25], [2 ** 25, 1]],
    ['begins at 2^52', 2 ** 52, [1], [1]],
  ])('is refused when a tensor %s', async (_name, offset, shape, strides) => {
    await expect(only(eight, floats, offset, shape, strides)).rejects.toMatchObject({
      code: 'bad-file',
      fields: { where: 'x.pt' },
    });
  });

  test('is refused when a storage is missing or of another length than it says', async () => {
    for (const source of [
      storage('FloatStorage', '1', 8),
      storage('FloatStorage', '../0', 8),
      storage('FloatStorage', '0', 2 ** 52),
      storage('LongStorage', '0', 8),
    ]) {
      await expect(only(source, floats, 0, [1], [1])).rejects.toThrow(
        /x\.pt: .*storage '.*' has (32|no) bytes, expected/,
      );
    }
  });

  test('is refused when a few values stand for a great many', async () => {
    await expect(only(eight, floats, 0, [2 ** 40], [0])).rejects.toThrow(/repeats the 8 values/);
    const rebuild = global('torch._utils', '_rebuild_tensor_v2');
    const args = tensor(storage('FloatStorage', '0', 64), 0, [64], [1]).subarray(
      rebuild.length,
      -1,
    );
    const again = Array.from({ length: 3000 }, () => bytes('h', 0, 'h', 1, 'R'));
    const program = pickle('(', rebuild, 'q', 0, args, 'q', 1, ...again, 't');
    await expect(
      readTorchFile(torchFile(program, { 0: raw(new Float32Array(64)) }), 'x.pt'),
    ).rejects.toThrow(/share their storages too often/);
  });

  test('is refused without a pickle, with two, of the old format, and with numbers the other way round', async () => {
    const program = pickle('N');
    await expect(readTorchFile(zip([['x/version', bytes('3')]]), 'x.pt')).rejects.toThrow(
      /0 entries named \*\/data\.pkl/,
    );
    const two = zip([
      ['x/data.pkl', program],
      ['y/data.pkl', program],
    ]);
    await expect(readTorchFile(two, 'x.pt')).rejects.toThrow(/2 entries named/);
    await expect(readTorchFile(program, 'x.pt')).rejects.toThrow(/before torch 1\.6/);
    const order = (value: string): Promise<unknown> =>
      readTorchFile(
        zip([
          ['x/data.pkl', program],
          ['x/byteorder', bytes(value)],
        ] as const),
        'x.pt',
      );
    await expect(order('big')).rejects.toMatchObject({ code: 'unsupported' });
    expect(await order('little')).toBe(null);
  });
});
