import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/bytes/byte-source.js';
import { isLemurError } from '../../../src/errors.js';
import { readTorchFile } from '../../../src/formats/torch/torch-file.js';
import { openTorchTensors } from '../../../src/formats/torch/torch-tensors.js';
import { counted } from '../../bytes/counted-source.js';
import { randomOf } from '../../mutations.js';
import {
  bytes,
  global,
  pickle,
  stateDict,
  storage,
  tensor,
  text,
  torchFile,
  tuple,
  zip,
} from './torch-bytes.js';
import { a, failure, file, open, plain, raw, storages, transposed } from './torch-states.js';

const eight = storage('FloatStorage', '0', 8);
const floats = { 0: raw(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7)) };
const with1 = (
  source: Uint8Array,
  offset: number,
  shape: number[],
  strides: number[],
): Uint8Array =>
  torchFile(pickle(stateDict(['x', tensor(source, offset, shape, strides)])), floats);

/** 3,000 tensors of one storage. */
function shared(): Uint8Array {
  const rebuild = global('torch._utils', '_rebuild_tensor_v2');
  const args = tensor(storage('FloatStorage', '0', 64), 0, [64], [1]).subarray(rebuild.length, -1);
  const items = Array.from({ length: 3000 }, (_, i) => bytes(text(String(i)), 'h', 0, 'h', 1, 'R'));
  const kept = bytes(rebuild, 'q', 0, args, 'q', 1, 'R');
  return torchFile(pickle('}(', text('first'), kept, ...items, 'u'), { 0: new Uint8Array(256) });
}

const entries = (program: Uint8Array, ...more: [string, Uint8Array][]): Uint8Array =>
  zip([['x/data.pkl', program], ['x/data/0', floats[0]], ...more]);
const good = pickle(stateDict(['x', tensor(eight, 0, [8], [1])]));

describe('a torch file is refused, in parts as in whole, with', () => {
  test.each<[string, Uint8Array, 'bad-file' | 'unsupported', RegExp]>([
    [
      'a tensor that begins behind its storage',
      with1(eight, 8, [1], [1]),
      'bad-file',
      /reaches value 8 of the 8/,
    ],
    [
      'a tensor that ends behind its storage',
      with1(eight, 1, [8], [1]),
      'bad-file',
      /reaches value 8/,
    ],
    ['strides beyond the storage', with1(eight, 0, [2, 4], [5, 1]), 'bad-file', /reaches value 8/],
    ['2^50 values', with1(eight, 0, [2 ** 25, 2 ** 25], [2 ** 25, 1]), 'bad-file', /reaches value/],
    ['a beginning at 2^52', with1(eight, 2 ** 52, [1], [1]), 'bad-file', /reaches value/],
    ['values that repeat', with1(eight, 0, [2 ** 40], [0]), 'unsupported', /repeats the 8 values/],
    [
      'a storage that is not there',
      with1(storage('FloatStorage', '1', 8), 0, [1], [1]),
      'bad-file',
      /storage '1' has no bytes/,
    ],
    [
      'a storage in another folder',
      with1(storage('FloatStorage', '../0', 8), 0, [1], [1]),
      'bad-file',
      /has no bytes/,
    ],
    [
      'a storage of another length',
      with1(storage('FloatStorage', '0', 2 ** 52), 0, [1], [1]),
      'bad-file',
      /has 32 bytes, expected/,
    ],
    [
      'a storage of another type',
      with1(storage('LongStorage', '0', 8), 0, [1], [1]),
      'bad-file',
      /has 32 bytes, expected 64/,
    ],
    [
      'storages that are shared too often',
      shared(),
      'unsupported',
      /share their storages too often/,
    ],
    ['an opcode that torch does not write', entries(pickle('N0N')), 'unsupported', /opcode 0x30/],
    [
      'a call of os.system',
      entries(pickle(global('os', 'system'), tuple(text('id')), 'R')),
      'unsupported',
      /asks for os\.system/,
    ],
    [
      'a pickle of more than 768 KiB',
      entries(new Uint8Array((3 << 18) + 1)),
      'unsupported',
      /expected at most 786432/,
    ],
    ['no pickle', zip([['x/version', bytes('3')]]), 'bad-file', /0 entries named \*\/data\.pkl/],
    ['two pickles', entries(good, ['y/data.pkl', good]), 'bad-file', /2 entries named/],
    [
      'numbers the other way round',
      entries(good, ['x/byteorder', bytes('big')]),
      'unsupported',
      /not little-endian/,
    ],
    [
      'an order of bytes that is none',
      entries(good, ['x/byteorder', bytes('LITTLE')]),
      'unsupported',
      /not little-endian/,
    ],
    ['the format from before torch 1.6', good, 'unsupported', /before torch 1\.6/],
    [
      'compressed entries',
      torchFile(good, floats, { method: 8 }),
      'unsupported',
      /compressed \(method 8\)/,
    ],
    ['encrypted entries', torchFile(good, floats, { flags: 1 }), 'unsupported', /encrypted/],
    [
      'an entry twice',
      entries(good, ['x/data/0', floats[0]]),
      'bad-file',
      /'x\/data\/0' comes twice/,
    ],
    ['bytes behind its end', bytes(entries(good), 0), 'bad-file', /truncated/],
    ['nothing', bytes(), 'bad-file', /truncated/],
    [
      'something else',
      bytes('version https://git-lfs.github.com/spec/v1\noid sha256:0123'),
      'bad-file',
      /truncated/,
    ],
  ])('%s', async (_what, made, code, message) => {
    const error = await failure(open(made), code);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^m\.bin/);
    expect(error.fields.where).toMatch(/^m\.bin/);
    expect((await failure(readTorchFile(made, 'm.bin'), code)).message).toBe(error.message);
  });

  test('one tensor under a great many names, where each would be read', async () => {
    const again = Array.from({ length: 3000 }, (_, i) => bytes(text(String(i)), 'h', 1));
    const made = (names: number): Uint8Array =>
      torchFile(
        pickle('}(', text('x'), plain[0][1], 'q', 1, ...again.slice(0, names), 'u'),
        storages,
      );
    expect((await failure(open(made(3000)), 'unsupported')).message).toMatch(
      /share their storages too often/,
    );
    expect(await (await open(made(5))).readFloats('4')).toEqual(a);
  });

  test('every truncation', async () => {
    for (const zip64 of [false, true]) {
      const made = torchFile(good, floats, { zip64 });
      for (let length = 0; length < made.length; length++) {
        expect((await failure(open(made.subarray(0, length)))).fields).toEqual({ where: 'm.bin' });
      }
    }
  });

  test('a pickle or a directory that is too long, before it is read', async () => {
    const long = counted(bytesSource(entries(new Uint8Array(1 << 21))));
    await failure(openTorchTensors(long, 'm.bin'), 'unsupported');
    expect(long.reads.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(1000);

    const size = 2 ** 31;
    const end = new Uint8Array(22);
    const view = new DataView(end.buffer);
    view.setUint32(0, 0x06054b50, true);
    view.setUint32(12, 2 ** 30, true);
    view.setUint32(16, size - 22 - 2 ** 30, true);
    const directory = counted({
      name: 'm.bin',
      size,
      read: async (offset, length) =>
        Uint8Array.from({ length }, (_, i) => end[offset + i - (size - 22)] ?? 0),
    });
    expect((await failure(openTorchTensors(directory, 'm.bin'), 'unsupported')).message).toMatch(
      /a directory of 1073741824 bytes/,
    );
    expect(directory.reads.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(100);
  });

  test('a source that gives too little or too much, or has no size', async () => {
    let change = 0;
    const source = {
      size: file.length,
      read: async (offset: number, length: number) => file.slice(offset, offset + length + change),
    };
    const opened = await openTorchTensors(source, 'm.bin');
    for (change of [-1, 1]) {
      expect((await failure(opened.readFloats('a'))).message).toMatch(
        /the file is truncated or has changed/,
      );
      await failure(openTorchTensors(source, 'm.bin'));
    }
    await failure(openTorchTensors({ ...source, size: 1.5 }, 'm.bin'), 'invalid-argument');
  });

  test('a local header that says something else, when its values are asked for', async () => {
    const header = Buffer.from(file).lastIndexOf('PK\x03\x04', Buffer.from(file).indexOf(raw(a)));
    for (const [at, message] of [
      [0, /no local header/],
      [8, /contradicts the directory/],
      [26, /contradicts the directory/],
      [31, /contradicts the directory/],
      [29, /overlaps the one before it|ends at byte/],
      [28, /checksum/],
    ] as const) {
      const damaged = file.slice();
      damaged[header + at] ^= 1;
      const opened = await open(damaged);
      expect((await failure(opened.readFloats('a'))).message).toMatch(message);
      expect(await opened.readFloats('b')).toEqual(transposed);
    }
  });
});

test('damage anywhere is told or does no harm: never other values or another error, and no more is read than twice the file', async () => {
  const expected = new Map([
    ['a', a],
    ['b', transposed],
  ]);
  const seeds = [file, torchFile(pickle(stateDict(...plain)), storages, { zip64: true })];
  let [refused, read] = [0, 0];
  for (let number = 0; number < 6000; number++) {
    const random = randomOf(17, number);
    let damaged = random.pick(seeds).slice();
    for (let flips = random.below(4); flips > 0; flips--)
      damaged[random.below(damaged.length)] ^= 1 << random.below(8);
    if (random.oneIn(4)) {
      const from = random.below(damaged.length);
      damaged = new Uint8Array(
        Buffer.concat([damaged.subarray(0, from), damaged.subarray(from + 1 + random.below(40))]),
      );
    }
    const source = counted(bytesSource(damaged));
    try {
      const opened = await openTorchTensors(source, 'm.bin');
      for (const [name, values] of expected) {
        const got = await opened.readFloats(name);
        if (!Buffer.from(raw(got)).equals(raw(values)))
          throw new Error(`input ${number}: other values of ${name}`);
      }
      read++;
    } catch (error) {
      if (!isLemurError(error, 'bad-file') && !isLemurError(error, 'unsupported')) throw error;
      refused++;
    }
    const asked = source.reads.reduce((sum, [, length]) => sum + length, 0);
    if (asked > 2 * damaged.length)
      throw new Error(`input ${number}: ${asked} bytes were read of ${damaged.length}`);
  }
  expect(refused).toBeGreaterThan(3000);
  expect(read).toBeGreaterThan(500);
});
