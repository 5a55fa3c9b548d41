import { describe, expect, test } from 'vitest';
import { isLemurError, type LemurError } from '../../../src/errors.js';
import {
  readSafetensors,
  toFloat32,
  toTypedArray,
  writeSafetensors,
} from '../../../src/formats/safetensors/safetensors.js';

function file(header: unknown, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === 'string' ? header : JSON.stringify(header),
  );
  const out = new Uint8Array(8 + json.length + body.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(body, 8 + json.length);
  return out;
}

function failure(bytes: Uint8Array): LemurError {
  try {
    readSafetensors(bytes, 'm.safetensors');
  } catch (error) {
    if (isLemurError(error, 'bad-file')) return error;
    throw error;
  }
  throw new Error('expected bad-file');
}

/** JSON.parse reads it, JSON.stringify runs out of stack. */
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

describe('safetensors', () => {
  test('what is written is read again, with shapes, metadata and every type', () => {
    const tensors = {
      bytes: { data: Int8Array.of(-1, 2, 3), shape: [3] },
      floats: { data: Float32Array.of(1.5, -2, 0, 4, 5, 6), shape: [2, 3] },
      doubles: { data: Float64Array.of(Math.PI), shape: [] },
      integers: { data: Int32Array.of(7, -8), shape: [2, 1] },
      long: { data: BigInt64Array.of(-(2n ** 60n)), shape: [1] },
      empty: { data: new Float32Array(0), shape: [0, 4] },
    };
    const read = readSafetensors(writeSafetensors(tensors, { format: 'x' }), 'test');
    expect(read.metadata).toEqual({ format: 'x' });
    expect([...read.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, { data, shape }] of Object.entries(tensors)) {
      const entry = read.tensors.get(name)!;
      expect(entry.shape).toEqual(shape);
      expect(toTypedArray(entry, name)).toEqual(data);
    }
  });

  test('every tensor that is written lies at a multiple of its element size', () => {
    const bytes = writeSafetensors({
      a: { data: Int8Array.of(1), shape: [1] },
      b: { data: Float64Array.of(2), shape: [1] },
    });
    for (const { type, bytes: view } of readSafetensors(bytes, 'test').tensors.values()) {
      if (type === 'F64') expect(view.byteOffset % 8).toBe(0);
    }
  });

  test('the same tensors give the same bytes', () => {
    const tensors = { a: { data: Float32Array.of(1, 2), shape: [2] } };
    expect(writeSafetensors(tensors)).toEqual(writeSafetensors(tensors));
  });

  test('half precision and bfloat16 become the float32 values they stand for', () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x3555);
    const half = file(
      { x: { dtype: 'F16', shape: [7], data_offsets: [0, 14] } },
      new Uint8Array(halves.buffer),
    );
    const values = toFloat32(readSafetensors(half, 'test').tensors.get('x')!, 'x');
    expect([...values]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      -0,
      Number.POSITIVE_INFINITY,
      0.333251953125,
    ]);
    const brain = file(
      { x: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } },
      new Uint8Array(Uint16Array.of(0x3f80, 0xc049).buffer),
    );
    expect([...toFloat32(readSafetensors(brain, 'test').tensors.get('x')!, 'x')]).toEqual([
      1, -3.140625,
    ]);
  });

  test('a Node buffer at an odd offset of its memory is read without being changed', () => {
    const plain = file(
      { x: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } },
      new Uint8Array(Float32Array.of(3).buffer),
    );
    const odd = Buffer.concat([Buffer.from([0]), plain]).subarray(1);
    const values = toFloat32(readSafetensors(odd, 'test').tensors.get('x')!, 'x');
    values[0] = 9;
    expect(toFloat32(readSafetensors(odd, 'test').tensors.get('x')!, 'x')[0]).toBe(3);
  });

  test('every truncation of a valid file is reported', () => {
    const whole = writeSafetensors({ a: { data: Float32Array.of(1, 2), shape: [2] } });
    for (let length = 0; length < whole.length; length++) failure(whole.subarray(0, length));
  });

  test('errors tell the file, what was got and what was expected', () => {
    const whole = writeSafetensors({ a: { data: Float32Array.of(1, 2), shape: [2] } });
    const error = failure(whole.subarray(0, whole.length - 3));
    expect(error.fields).toEqual({ where: 'm.safetensors' });
    expect(error.message).toMatch(/m\.safetensors.*5 bytes of tensors, expected at least 8 for a/);
  });

  test.each([
    ['no JSON', '{"a":'],
    ['an array for a header', '[]'],
    ['an unknown type', { a: { dtype: 'F8', shape: [0], data_offsets: [0, 0] } }],
    [
      'a type that is a property of every object',
      { a: { dtype: 'toString', shape: [0], data_offsets: [0, 0] } },
    ],
    ['a negative size', { a: { dtype: 'U8', shape: [-1], data_offsets: [0, 0] } }],
    ['a fractional size', { a: { dtype: 'U8', shape: [0.5], data_offsets: [0, 0] } }],
    ['offsets backwards', { a: { dtype: 'U8', shape: [0], data_offsets: [1, 0] } }],
    ['an entry that is null', { a: null }],
    [
      'a shape that does not fit the bytes',
      { a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } },
    ],
    ['metadata that is not strings', { __metadata__: { a: 1 } }],
    ['a gap', { a: { dtype: 'U8', shape: [1], data_offsets: [1, 2] } }],
    [
      'an overlap',
      {
        a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
        b: { dtype: 'U8', shape: [2], data_offsets: [1, 3] },
      },
    ],
    [
      'a type that is an object which cannot become a string',
      '{"a":{"dtype":{"toString":1,"valueOf":1},"shape":[4],"data_offsets":[0,4]}}',
    ],
    ['a shape deeper than the stack', `{"a":{"dtype":"U8","shape":${DEEP},"data_offsets":[0,4]}}`],
    ['offsets deeper than the stack', `{"a":{"dtype":"U8","shape":[4],"data_offsets":${DEEP}}}`],
    ['a type deeper than the stack', `{"a":{"dtype":${DEEP},"shape":[4],"data_offsets":[0,4]}}`],
    [
      'metadata that is a list',
      '{"__metadata__":["x"],"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}',
    ],
    ['bytes left over', { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }],
  ])('%s is refused', (_what, header) => {
    failure(file(header, new Uint8Array(4)));
  });

  test('a header length beyond the file, however large, is refused', () => {
    const bytes = new Uint8Array(16).fill(255);
    failure(bytes);
    failure(Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 0x7b));
  });

  test('a tensor named __proto__ does no harm', () => {
    const header = '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
    expect([...readSafetensors(file(header, Uint8Array.of(5)), 'x').tensors.keys()]).toEqual([
      '__proto__',
    ]);
  });

  test('a tensor or a text about the file called __proto__ is written and read like any other', () => {
    const metadata: Record<string, string> = JSON.parse('{"__proto__":"text"}');
    const tensors = Object.fromEntries([
      ['__proto__', { data: Float32Array.of(1, 2), shape: [2] }],
    ]);
    const read = readSafetensors(writeSafetensors(tensors, metadata), 'x');
    expect(toTypedArray(read.tensors.get('__proto__')!, 'x')).toEqual(Float32Array.of(1, 2));
    expect(Object.entries(read.metadata)).toEqual([['__proto__', 'text']]);
  });

  test('a shape that contradicts the data is refused by the writer', () => {
    expect(() => writeSafetensors({ a: { data: new Float32Array(3), shape: [2] } })).toThrow(
      /shape \[2\] has 2 values, got 3/,
    );
  });
});
