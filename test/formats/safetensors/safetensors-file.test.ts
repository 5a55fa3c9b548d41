import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/bytes/byte-source.js';
import {
  readSafetensors,
  type SafetensorsType,
  toFloat32,
  writeSafetensors,
} from '../../../src/formats/safetensors/safetensors.js';
import { openSafetensors } from '../../../src/formats/safetensors/safetensors-file.js';
import { counted } from '../../bytes/counted-source.js';
import { bytesOf, numbers } from '../../numbers.js';
import { turnsOf } from '../../turns.js';
import { failure } from './safetensors-bytes.js';

/** Bytes of an element, as the format's description has them. */
const BYTES = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;
const TYPES = Object.keys(BYTES) as SafetensorsType[];
const CHUNK = 1 << 22;

function file(header: unknown, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + body.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(body, 8 + json.length);
  return out;
}

/**
 * A file of random bytes, with every type at every alignment: shapes of 0 to 3 dimensions, empty
 * ones too.
 */
function randomFile(seed: number): {
  bytes: Uint8Array;
  header: Record<string, { shape: number[]; data_offsets: number[] }>;
  body: Uint8Array;
} {
  const random = numbers(seed);
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: number[] }> = {};
  let at = 0;
  for (const [i, dtype] of [...TYPES, ...TYPES].entries()) {
    const shape = random.integers(random.integers(1, 1)[0] + 1, 4).map(Math.abs);
    const end = at + shape.reduce((a, b) => a * b, 1) * BYTES[dtype];
    header[`${i}.${dtype}`] = { dtype, shape, data_offsets: [at, end] };
    at = end;
  }
  const body = Uint8Array.from(random.integers(at, 127), (value) => value & 255);
  return { bytes: file(header, body), header, body };
}

describe('a safetensors file that is read in parts', () => {
  test('has the tensors that the whole file has: every type, every part', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { bytes, header, body } = randomFile(seed);
      const whole = readSafetensors(bytes);
      const opened = await openSafetensors(bytesSource(bytes));
      expect([...opened.tensors.keys()]).toEqual([...whole.tensors.keys()]);
      for (const [name, entry] of whole.tensors) {
        const { shape, data_offsets: at } = header[name];
        const part = await opened.read(name);
        expect(part).toEqual({ ...entry, bytes: body.slice(...at) });
        const target = new Uint8Array(part.bytes.length);
        await opened.readInto(name, target);
        expect(target).toEqual(part.bytes);
        if (entry.type.includes('F'))
          expect(await opened.readFloats(name)).toEqual(toFloat32(entry, name));
        else
          expect((await failure(opened.readFloats(name))).message).toContain(
            `of type ${entry.type}, expected a floating-point one`,
          );
        if (shape.length === 0) continue;
        const rowBytes = (at[1] - at[0]) / (shape[0] || 1);
        for (let from = 0; from <= shape[0]; from++) {
          for (let to = from; to <= shape[0]; to++) {
            const rows = await opened.read(name, { rows: [from, to] });
            expect(rows.shape).toEqual([to - from, ...shape.slice(1)]);
            expect(rows.bytes).toEqual(body.slice(at[0] + from * rowBytes, at[0] + to * rowBytes));
          }
        }
      }
    }
  });

  test('asks for its header, then for no more than the rows that are wanted', async () => {
    const data = Float32Array.from({ length: 300 }, (_, i) => i);
    const bytes = writeSafetensors(
      { a: { data, shape: [100, 3] }, b: { data: Int8Array.of(1, 2), shape: [2] } },
      { made: 'here' },
    );
    const source = counted(bytesSource(bytes));
    const opened = await openSafetensors(source);
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(source.reads).toEqual([
      [0, 8],
      [8, header],
    ]);
    expect(opened.metadata).toEqual({ made: 'here' });
    expect(await opened.readFloats('a', { rows: [40, 42] })).toEqual(data.slice(120, 126));
    expect(source.reads.slice(2)).toEqual([[8 + header + 40 * 12, 24]]);
  });

  test('asks for a large tensor a chunk at a time, converting as it goes', async () => {
    const halves = Uint16Array.from({ length: CHUNK + 5 }, (_, i) => (i * 7) % 0x7c00);
    const bytes = file(
      { x: { dtype: 'F16', shape: [halves.length], data_offsets: [0, halves.byteLength] } },
      new Uint8Array(halves.buffer),
    );
    const source = counted(bytesSource(bytes));
    const values = await (await openSafetensors(source)).readFloats('x');
    expect(await bytesOf(values)).toBe(
      await bytesOf(toFloat32(readSafetensors(bytes).tensors.get('x')!, 'x')),
    );
    expect(source.reads.slice(2).map(([, length]) => length)).toEqual([CHUNK, CHUNK, 10]);
  });

  test('is refused at every truncation and with bytes left over, as the whole file is', async () => {
    const whole = writeSafetensors({ a: { data: Float32Array.of(1, 2), shape: [2] } });
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      const error = await failure(openSafetensors(bytesSource(cut), 'm.safetensors'));
      expect(error.fields).toEqual({ where: 'm.safetensors' });
      expect(() => readSafetensors(cut, 'm.safetensors')).toThrow(error.message);
    }
    await failure(openSafetensors(bytesSource(Uint8Array.of(...whole, 0))));
  });

  test.each([
    [
      'beyond the end of the file',
      { a: { dtype: 'U8', shape: [2 ** 40], data_offsets: [0, 2 ** 40] } },
    ],
    [
      'that are not those of the shape',
      { a: { dtype: 'F32', shape: [2 ** 30], data_offsets: [0, 4] } },
    ],
    [
      'into another tensor',
      {
        a: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
        b: { dtype: 'U8', shape: [3], data_offsets: [1, 4] },
      },
    ],
    [
      'beyond what a number can hold',
      { a: { dtype: 'U8', shape: [2 ** 53], data_offsets: [0, 2 ** 53] } },
    ],
  ])(
    'is refused with offsets %s, before anything but the header is read',
    async (_what, header) => {
      const source = counted(bytesSource(file(header, new Uint8Array(4))));
      await failure(openSafetensors(source));
      expect(source.reads.length).toBe(2);
    },
  );

  test('is refused with a header length beyond the file or the limit, before it is read', async () => {
    for (const length of [9n, 16_777_217n, 2n ** 63n]) {
      const bytes = new Uint8Array(16);
      new DataView(bytes.buffer).setBigUint64(0, length, true);
      const source = counted({
        ...bytesSource(bytes),
        size: length > 9n ? Number.MAX_SAFE_INTEGER : 16,
      });
      await failure(openSafetensors(source));
      expect(source.reads).toEqual([[0, 8]]);
    }
  });

  test('whose source gives too little or too much is said to be truncated', async () => {
    const whole = bytesSource(writeSafetensors({ a: { data: new Float32Array(9), shape: [9] } }));
    let change = 0;
    const opened = await openSafetensors({
      ...whole,
      read: async (o, n) => new Uint8Array((await whole.read(o, n + change)).buffer, o, n + change),
    });
    change = -1;
    expect((await failure(opened.read('a'))).message).toMatch(
      /35 bytes at byte \d+, expected 36: the file is truncated or has changed/,
    );
    expect(
      await failure(openSafetensors({ size: -1, read: whole.read }), 'invalid-argument'),
    ).toBeTruthy();
  });

  test('names a tensor that it does not have, and rows that a tensor does not have', async () => {
    const opened = await openSafetensors(
      bytesSource(
        writeSafetensors({
          a: { data: new Float32Array(6), shape: [3, 2] },
          one: { data: new Float32Array(1), shape: [] },
        }),
      ),
      'm',
    );
    expect((await failure(opened.read('b'))).message).toBe("m: no tensor 'b'");
    for (const rows of [
      [2, 1],
      [0, 4],
      [-1, 1],
      [0.5, 1],
      [Number.NaN, 1],
    ] as [number, number][]) {
      expect((await failure(opened.read('a', { rows }), 'invalid-argument')).message).toMatch(
        /m: a: rows .*within the 3 of shape \[3,2\]/,
      );
    }
    await failure(opened.read('one', { rows: [0, 1] }), 'invalid-argument');
    await failure(opened.readInto('a', new Uint8Array(23)), 'invalid-argument');
  });

  test('stops with the reason of an aborted signal, between two chunks too', async () => {
    const bytes = writeSafetensors({ a: { data: new Uint8Array(3 * CHUNK), shape: [3 * CHUNK] } });
    const source = counted(bytesSource(bytes));
    const opened = await openSafetensors(source);
    const controller = new AbortController();
    const reading = opened.read('a', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    expect(source.reads.length).toBe(3);
    await expect(opened.read('a', { signal: controller.signal })).rejects.toThrow('enough');
    await expect(openSafetensors(source, 'm', { signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    expect(source.reads.length).toBe(3);
    expect((await opened.read('a')).bytes.length).toBe(3 * CHUNK);
  });
});

test('a header has at most 24,576 tensors, of a file that is read at once 8,192, and neither is written nor read with more', async () => {
  const header = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `${i}`,
        { dtype: 'F32', shape: [0], data_offsets: [0, 0] },
      ]),
    );
  const whole = file(header(24_576));
  const opened = await turnsOf(() => openSafetensors(bytesSource(whole)));
  expect(opened.value.tensors.size).toBe(24_576);
  // once for every 2,048 that are checked and as many that are placed
  expect(opened.turns).toBeGreaterThanOrEqual(22);
  expect(readSafetensors(file(header(8192))).tensors.size).toBe(8192);
  expect(() => readSafetensors(file(header(8193)), 'x')).toThrow(
    'x: a safetensors header of 8193 tensors, at most 8192 are read; ' +
      'openSafetensors reads up to 24576 tensors',
  );
  const more = file(header(24_577));
  const expected = {
    code: 'bad-file',
    message: 'x: a safetensors header of 24577 tensors, at most 24576 are read',
  };
  await expect(openSafetensors(bytesSource(more), 'x')).rejects.toMatchObject(expected);

  const many = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`${i}`, { data: new Uint8Array(), shape: [0] }]),
    );
  const written = writeSafetensors(many(24_576));
  expect((await openSafetensors(bytesSource(written))).tensors.size).toBe(24_576);
  expect(() => writeSafetensors(many(24_577))).toThrow(/24577 tensors, expected at most 24576/);
  expect(() => writeSafetensors(many(1), { a: 'x'.repeat(2 ** 24) })).toThrow(
    /a header of \d+ bytes, expected at most 16777216/,
  );
});

test('a header beyond the limit is said to be too long, not damaged', async () => {
  const head = new Uint8Array(16);
  new DataView(head.buffer).setBigUint64(0, 16_777_217n, true);
  const source = {
    size: 16_777_300,
    read: async (offset: number, length: number) => head.slice(offset, offset + length),
  };
  await expect(openSafetensors(source, 'x')).rejects.toMatchObject({
    code: 'bad-file',
    message: 'x: a safetensors header of 16777217 bytes, at most 16777216 are read',
  });
  await expect(openSafetensors({ ...source, size: 16_777_216 }, 'x')).rejects.toMatchObject({
    code: 'bad-file',
    message: expect.stringContaining('cut off'),
  });
});
