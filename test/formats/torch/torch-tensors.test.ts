import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ByteSource, bytesSource } from '../../../src/bytes/byte-source.js';
import { isLemurError, type LemurError } from '../../../src/errors.js';
import type { TensorFile } from '../../../src/formats/safetensors/tensor-file.js';
import {
  readTorchFile,
  type TorchMap,
  type TorchTensor,
} from '../../../src/formats/torch/torch-file.js';
import { openTorchTensors } from '../../../src/formats/torch/torch-tensors.js';
import { counted } from '../../bytes/counted-source.js';
import { type Random, randomOf } from '../../mutations.js';
import { bytesOf, numbers } from '../../numbers.js';
import {
  bytes,
  dict,
  global,
  integer,
  ordered,
  pickle,
  stateDict,
  storage,
  tensor,
  text,
  torchFile,
  tuple,
  zip,
} from './torch-bytes.js';

const CHUNK = 1 << 22;
const raw = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((size, length) => size * length, 1);
const open = (file: Uint8Array): Promise<TensorFile> =>
  openTorchTensors(bytesSource(file), 'm.bin');

async function failure(
  promise: Promise<unknown>,
  code: 'bad-file' | 'invalid-argument' | 'unsupported' = 'bad-file',
): Promise<LemurError> {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (isLemurError(error, code)) return error;
  throw new Error(`expected ${code}, got ${String(error)}`);
}

/** What the bits of a finite half-precision number say, by the definition. */
function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  return (
    (bits >> 15 ? -1 : 1) *
    (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  );
}

/** Storages of floating-point types: some values and their bytes. */
const FLOATS: Record<
  string,
  (random: Random, length: number) => { values: number[]; data: Uint8Array }
> = {
  FloatStorage(random, length) {
    const data = numbers(random.below(1000)).floats(length, 10);
    return { values: [...data], data: raw(data) };
  },
  DoubleStorage(random, length) {
    const data = Float64Array.from({ length }, () => (random.below(2 ** 30) - 2 ** 29) / 3);
    return { values: [...data].map(Math.fround), data: raw(data) };
  },
  HalfStorage(random, length) {
    const data = Uint16Array.from(
      { length },
      () => random.below(2) * 0x8000 + random.below(0x7c00),
    );
    return { values: [...data].map(half), data: raw(data) };
  },
  BFloat16Storage(random, length) {
    // sign, exponent of 8 bits with bias 127, fraction of 7 bits
    const data = Uint16Array.from(
      { length },
      () => ((random.below(2) << 15) | ((100 + random.below(60)) << 7)) + random.below(128),
    );
    const value = (bits: number): number =>
      (bits >> 15 ? -1 : 1) * (1 + (bits & 127) / 128) * 2 ** (((bits >> 7) & 255) - 127);
    return { values: [...data].map(value), data: raw(data) };
  },
};
const TYPES = {
  FloatStorage: 'F32',
  DoubleStorage: 'F64',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
} as const;

interface Made {
  file: Uint8Array;
  expected: Map<string, { type: string; shape: number[]; values: number[] }>;
}

/**
 * A state of every type and 0 to 3 dimensions, with axes in any order, parts of storages, and empty
 * ones; values by the definition of strides.
 */
function randomState(random: Random): Made {
  const expected: Made['expected'] = new Map();
  const items: [string, Uint8Array][] = [];
  const storages: Record<string, Uint8Array> = {};
  for (let i = 0; i < 8; i++) {
    const type = random.pick(Object.keys(TYPES)) as keyof typeof TYPES;
    const shape = Array.from({ length: random.below(4) }, () =>
      random.below(random.oneIn(8) ? 1 : 5),
    );
    const axes = shape.map((_, axis) => axis).sort(() => (random.oneIn(2) ? 1 : -1));
    const strides: number[] = [];
    let span = 1;
    for (const axis of axes) {
      strides[axis] = span;
      span *= Math.max(1, shape[axis]);
      if (random.oneIn(6)) span += 2; // columns of a wider matrix
    }
    const offset = random.oneIn(2) ? 0 : random.below(5);
    const length = offset + span + (random.oneIn(2) ? 0 : random.below(5));
    const { values, data } = FLOATS[type](random, length);
    const name = `layer.${i}.weight`;
    const at = (index: number): number => {
      let [place, rest] = [offset, index];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        place += (rest % shape[axis]) * strides[axis];
        rest = Math.floor(rest / shape[axis]);
      }
      return place;
    };
    storages[i] = data;
    items.push([name, tensor(storage(type, String(i), length), offset, shape, strides)]);
    expected.set(name, {
      type: TYPES[type],
      shape,
      values: Array.from({ length: sizeOf(shape) }, (_, index) => values[at(index)]),
    });
  }
  return {
    file: torchFile(pickle(stateDict(...items)), storages, { zip64: random.oneIn(2) }),
    expected,
  };
}

/**
 * Two tensors that have their storages to themselves, one of them transposed, and a third that is
 * no floating-point one.
 */
const a = numbers(3).floats(600);
const b = Uint16Array.from({ length: 60 }, (_, i) => 0x3c00 + i * 17);
const plain: [string, Uint8Array][] = [
  ['a', tensor(storage('FloatStorage', '0', 600), 0, [100, 6], [6, 1])],
  ['b', tensor(storage('HalfStorage', '1', 60), 0, [12, 5], [1, 12])],
  ['ids', tensor(storage('LongStorage', '2', 3), 0, [3], [1])],
];
const storages = { 0: raw(a), 1: raw(b), 2: raw(BigInt64Array.of(0n, 1n, 2n)) };
const file = torchFile(pickle(stateDict(...plain)), storages);
const transposed = Float32Array.from({ length: 60 }, (_, i) =>
  half(b[(i % 5) * 12 + Math.floor(i / 5)]),
);

describe('a torch file that is read in parts', () => {
  test('has the tensors it was made of, as has the whole file: every type, any strides, any rows', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { file: made, expected } = randomState(randomOf(11, seed));
      const whole = (await readTorchFile(made, 'm.bin')) as TorchMap;
      const opened = await open(made);
      expect([...opened.tensors]).toEqual(
        [...expected].map(([name, { type, shape }]) => [name, { type, shape }]),
      );
      for (const [name, { shape, values }] of expected) {
        const read = await opened.readFloats(name);
        expect(read).toBeInstanceOf(Float32Array);
        expect([...read]).toEqual(values);
        expect(read).toEqual((whole.get(name) as TorchTensor).data);
        if (shape.length === 0) continue;
        const width = sizeOf(shape.slice(1));
        for (let from = 0; from <= shape[0]; from++) {
          for (let to = from; to <= shape[0]; to++) {
            expect([...(await opened.readFloats(name, { rows: [from, to] }))]).toEqual(
              values.slice(from * width, to * width),
            );
          }
        }
      }
    }
  });

  test('may come from torch itself: a state under state_dict, beside settings', async () => {
    const made = readFileSync(
      new URL('../../fixtures/parity/reference_index/mlp.pt', import.meta.url),
    );
    const whole = ((await readTorchFile(made, 'mlp.pt')) as TorchMap).get('state_dict') as TorchMap;
    const opened = await open(made);
    expect([...opened.tensors.keys()]).toEqual([...whole.keys()]);
    expect(opened.tensors.size).toBe(5);
    for (const [name, { shape }] of opened.tensors) {
      const { shape: expectedShape, data } = whole.get(name) as TorchTensor;
      expect(shape).toEqual(expectedShape);
      expect(await opened.readFloats(name)).toEqual(data);
      const width = sizeOf(shape.slice(1));
      expect(await opened.readFloats(name, { rows: [1, 3] })).toEqual(data.slice(width, 3 * width));
    }
  });

  test('asks for nothing of its tensors when it is opened, then for no more than what is wanted', async () => {
    const source = counted(bytesSource(file));
    const opened = await openTorchTensors(source, 'm.bin');
    const places = Object.values(storages).map((data) => [
      Buffer.from(file).indexOf(data),
      data.length,
    ]);
    for (const [offset, length] of source.reads) {
      for (const [at, size] of places)
        expect(offset + length <= at || offset >= at + size).toBe(true);
    }
    const read = async (name: string, rows?: [number, number]): Promise<[number, number][]> => {
      source.reads.length = 0;
      await opened.readFloats(name, { rows });
      return source.reads.slice();
    };
    const header = Buffer.from(file).lastIndexOf('PK\x03\x04', places[0][0]);
    expect(await read('a', [40, 42])).toEqual([
      [header, 30 + 'x/data/0'.length],
      [places[0][0] + 40 * 24, 48],
    ]);
    expect(await read('a', [99, 100])).toEqual([[places[0][0] + 99 * 24, 24]]);
    expect(await read('a')).toEqual([places[0]]);
    expect(await read('a', [7, 7])).toEqual([]);
    expect((await read('b'))[1]).toEqual(places[1]);
    // a column: from its first value to its last
    expect(await read('b', [2, 3])).toEqual([[places[1][0] + 2 * 2, 2 * (4 * 12 + 1)]]);
  });

  test('asks for a large tensor a chunk at a time, converting as it goes', async () => {
    const halves = Uint16Array.from({ length: CHUNK + 5 }, (_, i) => (i * 7) % 0x7c00);
    const program = pickle(
      stateDict(['x', tensor(storage('HalfStorage', '0', halves.length), 0, [halves.length], [1])]),
    );
    const source = counted(bytesSource(torchFile(program, { 0: raw(halves) })));
    const opened = await openTorchTensors(source, 'm.bin');
    source.reads.length = 0;
    const values = await opened.readFloats('x');
    expect(await bytesOf(values)).toBe(await bytesOf(Float32Array.from(halves, half)));
    expect(source.reads.slice(1).map(([, length]) => length)).toEqual([CHUNK, CHUNK, 10]);
  });

  test('may be larger than memory', async () => {
    const values = 2 ** 45;
    const source = hugeFile(values);
    const opened = await openTorchTensors(source, 'm.bin');
    expect(opened.tensors).toEqual(new Map([['x', { type: 'F32', shape: [values / 8, 8] }]]));
    const row = 2 ** 40 + 3;
    expect([...(await opened.readFloats('x', { rows: [row, row + 2] }))]).toEqual(
      Array.from({ length: 16 }, (_, i) => (row * 8 + i) % 1000),
    );
    expect((await failure(opened.readFloats('x'), 'unsupported')).message).toMatch(
      /no room for 140737488355328 bytes at once/,
    );
  });

  test('names a tensor that it does not have, rows that a tensor does not have, and integers', async () => {
    const opened = await open(
      torchFile(
        pickle(stateDict(...plain, ['one', tensor(storage('FloatStorage', '0', 600), 5, [], [])])),
        storages,
      ),
    );
    expect((await failure(opened.readFloats('c'))).message).toBe("m.bin: no tensor 'c'");
    for (const name of ['__proto__', 'constructor', '_metadata'])
      await failure(opened.readFloats(name));
    for (const rows of [
      [2, 1],
      [0, 101],
      [-1, 1],
      [0.5, 1],
      [Number.NaN, 1],
    ] as [number, number][]) {
      const { message } = await failure(opened.readFloats('a', { rows }), 'invalid-argument');
      expect(message).toMatch(/m\.bin: a: rows .*within the 100 of shape \[100,6\]/);
    }
    await failure(opened.readFloats('one', { rows: [0, 1] }), 'invalid-argument');
    expect([...(await opened.readFloats('one'))]).toEqual([a[5]]);
    expect(opened.tensors.get('ids')).toEqual({ type: 'I64', shape: [3] });
    expect((await failure(opened.readFloats('ids'))).message).toMatch(
      /ids of type I64, expected a floating-point one/,
    );
  });

  test.each([
    ['ShortStorage', 'I16', raw(Int16Array.of(-3, 2))],
    ['CharStorage', 'I8', raw(Int8Array.of(-3, 2))],
    ['ByteStorage', 'U8', Uint8Array.of(3, 2)],
    ['BoolStorage', 'BOOL', Uint8Array.of(1, 0)],
  ])('may have tensors of a %s beside those that are wanted', async (type, short, data) => {
    const made = torchFile(
      pickle(stateDict(...plain, ['mask', tensor(storage(type, '3', 2), 0, [2], [1])])),
      { ...storages, 3: data },
    );
    const opened = await open(made);
    expect(opened.tensors.get('mask')).toEqual({ type: short, shape: [2] });
    await failure(opened.readFloats('mask'));
    expect(await opened.readFloats('a')).toEqual(a);
    const { data: read } = ((await readTorchFile(made, 'm.bin')) as TorchMap).get(
      'mask',
    ) as TorchTensor;
    expect([...read]).toEqual([
      type === 'BoolStorage' ? 1 : type === 'ByteStorage' ? 3 : -3,
      type === 'BoolStorage' ? 0 : 2,
    ]);
  });

  test('stops with the reason of an aborted signal, between two chunks too', async () => {
    const length = 3 * (CHUNK / 4);
    const program = pickle(
      stateDict(['x', tensor(storage('FloatStorage', '0', length), 0, [length], [1])]),
    );
    const source = counted(bytesSource(torchFile(program, { 0: new Uint8Array(4 * length) })));
    const opened = await openTorchTensors(source, 'm.bin');
    await opened.readFloats('x', { rows: [0, 1] });
    source.reads.length = 0;
    const controller = new AbortController();
    const reading = opened.readFloats('x', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await expect(
      opened.readFloats('x', { rows: [0, 0], signal: controller.signal }),
    ).rejects.toThrow('enough');
    await expect(openTorchTensors(source, 'm', { signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    expect(source.reads.length).toBeLessThanOrEqual(1);
  });
});

describe('the state in a torch file', () => {
  const inner = stateDict(...plain);
  const other = stateDict(['c', tensor(storage('FloatStorage', '0', 600), 0, [600], [1])]);
  const step = tensor(storage('LongStorage', '2', 3), 0, [], []);

  test.each<[string, Uint8Array]>([
    ['the outermost dictionary', inner],
    ['a plain dictionary', dict(...plain)],
    ['that under state_dict', dict(['epoch', integer(3)], ['state_dict', inner], ['step', step])],
    [
      'that under model, beside others',
      dict(['ema', other], ['model', inner], ['optimizer', dict(['state', dict(['0', other])])]),
    ],
    [
      'that under model_state_dict',
      dict(['model', text('bert')], ['model_state_dict', inner], ['best', other]),
    ],
    [
      'the only one, whatever it is called',
      dict(['net', inner], ['empty', ordered], ['args', dict(['lr', integer(1)])]),
    ],
    [
      'the only one, under two names',
      dict(['net', bytes(inner, 'q', 9)], ['again', bytes('h', 9)]),
    ],
  ])('is %s', async (_what, value) => {
    const opened = await open(torchFile(pickle(value), storages));
    expect([...opened.tensors.keys()]).toEqual(['a', 'b', 'ids']);
    expect(await opened.readFloats('a')).toEqual(a);
    expect(await opened.readFloats('b')).toEqual(transposed);
  });

  test('has nothing but tensors, by their names', async () => {
    const first = bytes('K', 7, tensor(storage('FloatStorage', '0', 600), 0, [1], [1]));
    const mixed = bytes(
      stateDict(['version', integer(1)], ['none', bytes('N')], ['inner', inner], ...plain, [
        'list',
        bytes(']'),
      ]),
      first,
      's',
    );
    expect([...(await open(torchFile(pickle(mixed), storages))).tensors.keys()]).toEqual([
      'a',
      'b',
      'ids',
    ]);
  });

  test.each<[string, Uint8Array]>([
    ['a tensor', plain[0][1]],
    ['a list of tensors', tuple(plain[0][1], plain[1][1])],
    ['no tensors', stateDict(['n', integer(1)])],
    ['two of them, neither the likelier', dict(['generator', inner], ['discriminator', other])],
    ['none but two levels down', dict(['x', dict(['y', inner])])],
    ['tensors by number', dict(['x', bytes('}K', 0, plain[0][1], 's')])],
  ])('is not found in %s', async (_what, value) => {
    expect((await failure(open(torchFile(pickle(value), storages)))).message).toMatch(
      /^m\.bin: .*no dictionary of tensors, expected one, or one under state_dict/,
    );
  });
});

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
      'a pickle of more than 1 MiB',
      entries(new Uint8Array((1 << 20) + 1)),
      'unsupported',
      /expected at most 1048576/,
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
      read: async (offset, length) => file.slice(offset, offset + length + change),
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

/**
 * A file of one float32 tensor [values / 8, 8] that is never held: value i is i modulo 1000. The
 * checksum is wrong.
 */
function hugeFile(values: number): ByteSource {
  const marker = bytes('the place of the values');
  const program = pickle(
    stateDict(['x', tensor(storage('FloatStorage', '0', values), 0, [values / 8, 8], [8, 1])]),
  );
  const small = torchFile(program, { 0: marker }, { zip64: true });
  const more = 4 * values - marker.length;
  const from = Buffer.from(small).indexOf(marker);
  const view = new DataView(small.buffer, small.byteOffset);
  const grow = (at: number): void =>
    view.setBigUint64(at, view.getBigUint64(at, true) + BigInt(more), true);
  // of the second entry: size and stored size; of the third: where it begins; each behind 46 bytes,
  // the name and 9 bytes of extra field
  const central = [0, 1, 2].reduce<number[]>(
    (found) => [...found, Buffer.from(small).indexOf('PK\x01\x02', (found.at(-1) ?? -1) + 1)],
    [],
  );
  const fields = (at: number): number => at + 46 + view.getUint16(at + 28, true) + 9;
  for (const at of [fields(central[1]), fields(central[1]) + 8, fields(central[2]) + 16]) grow(at);
  const record = Buffer.from(small).indexOf('PK\x06\x06');
  for (const at of [record + 48, record + 56 + 8]) grow(at);

  const byte = (at: number): number => {
    if (at < from) return small[at];
    if (at >= from + 4 * values) return small[at - more];
    const value = Math.floor((at - from) / 4) % 1000;
    return raw(Float32Array.of(value))[(at - from) % 4];
  };
  return {
    name: 'huge',
    size: small.length + more,
    read: async (offset, length) => Uint8Array.from({ length }, (_, i) => byte(offset + i)),
  };
}
