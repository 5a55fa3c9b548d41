import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ByteSource, bytesSource } from '../../../src/bytes/byte-source.js';
import {
  readTorchFile,
  type TorchMap,
  type TorchTensor,
} from '../../../src/formats/torch/torch-file.js';
import { openTorchTensors } from '../../../src/formats/torch/torch-tensors.js';
import { counted } from '../../bytes/counted-source.js';
import { type Random, randomOf } from '../../mutations.js';
import { bytesOf, numbers } from '../../numbers.js';
import { bytes, pickle, stateDict, storage, tensor, torchFile } from './torch-bytes.js';
import { a, failure, file, half, open, plain, raw, storages } from './torch-states.js';

const CHUNK = 1 << 22;
const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((size, length) => size * length, 1);

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
