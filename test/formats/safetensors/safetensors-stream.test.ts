import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/bytes/byte-source.js';
import {
  readSafetensors,
  type SafetensorsArray,
  type SafetensorsType,
  writeSafetensors,
} from '../../../src/formats/safetensors/safetensors.js';
import { openSafetensors } from '../../../src/formats/safetensors/safetensors-file.js';
import { streamSafetensors } from '../../../src/formats/safetensors/safetensors-stream.js';
import { numbers } from '../../numbers.js';
import { failure } from './safetensors-bytes.js';

describe('a safetensors file that is written in parts', () => {
  const random = numbers(5);
  const tensors: Record<
    string,
    { data: SafetensorsArray; shape: number[]; type: SafetensorsType }
  > = {
    codes: { data: Int8Array.from(random.integers(11, 127)), shape: [11], type: 'I8' },
    w: { data: random.floats(60), shape: [12, 5], type: 'F32' },
    none: { data: new Float32Array(0), shape: [0, 4], type: 'F32' },
    factor: { data: Float64Array.of(1, Math.PI), shape: [2, 1], type: 'F64' },
    ['__proto__']: { data: Uint8Array.of(7), shape: [], type: 'U8' },
    7: { data: BigInt64Array.of(-5n), shape: [1], type: 'I64' },
  };
  const declared = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, type }]) => [name, { shape, type }]),
  );
  const metadata = { made: 'here' };

  function collected(): {
    sink: (bytes: Uint8Array) => void;
    bytes: () => Uint8Array;
    chunks: number[];
  } {
    const parts: number[] = [];
    const chunks: number[] = [];
    return {
      chunks,
      sink(bytes) {
        chunks.push(bytes.length);
        parts.push(...bytes);
      },
      bytes: () => Uint8Array.from(parts),
    };
  }

  test.each([1, 3, 7, 1000])(
    'is that of writeSafetensors to the byte, in chunks of %i values',
    async (step) => {
      const out = collected();
      const stream = await streamSafetensors(declared, out.sink, metadata);
      for (const name of stream.order) {
        const { data } = tensors[name];
        for (let at = 0; at < data.length; at += step)
          await stream.write(name, data.subarray(at, at + step));
      }
      await stream.end();
      const whole = writeSafetensors(tensors, metadata);
      expect(out.bytes()).toEqual(whole);
      expect(stream.size).toBe(whole.length);
      // the header, then the very chunks that were given
      expect(Math.max(...out.chunks.slice(1))).toBeLessThanOrEqual(8 * step);
      const { tensors: read } = readSafetensors(out.bytes());
      expect([...read.keys()].sort()).toEqual(Object.keys(tensors).sort());
    },
  );

  test('keeps types that have no array of their own', async () => {
    const out = collected();
    const stream = await streamSafetensors(
      { half: { type: 'BF16', shape: [2] }, flag: { type: 'BOOL', shape: [1] } },
      out.sink,
    );
    await stream.write('half', Uint16Array.of(0x3f80, 0xc049));
    await stream.write('flag', Uint8Array.of(1));
    await stream.end();
    const opened = await openSafetensors(bytesSource(out.bytes()));
    expect([...(await opened.readFloats('half'))]).toEqual([1, -3.140625]);
    expect(await opened.read('flag')).toEqual({
      type: 'BOOL',
      shape: [1],
      bytes: Uint8Array.of(1),
    });
  });

  test('refuses tensors out of order, too many values and too few, and goes on from where it was', async () => {
    const out = collected();
    const stream = await streamSafetensors(
      { a: { type: 'F32', shape: [2] }, b: { type: 'U8', shape: [3] } },
      out.sink,
    );
    expect(stream.order).toEqual(['a', 'b']);
    expect(
      (await failure(stream.write('b', Uint8Array.of(1)), 'invalid-argument')).message,
    ).toMatch(/got values of b, expected a$/);
    await stream.write('a', Float32Array.of(1));
    expect(
      (await failure(stream.write('a', Float32Array.of(1, 2)), 'invalid-argument')).message,
    ).toMatch(/got 8 bytes of a, .*the 4 that/);
    expect((await failure(stream.end(), 'invalid-argument')).message).toMatch(
      /a is not complete: expected 4 bytes more/,
    );
    await stream.write('a', Float32Array.of(2));
    await stream.write('b', Uint8Array.of(1, 2, 3));
    expect(
      (await failure(stream.write('b', Uint8Array.of(1)), 'invalid-argument')).message,
    ).toMatch(/got values of b, expected no more/);
    await stream.end();
    await failure(stream.end(), 'closed');
    await failure(stream.write('b', Uint8Array.of(1)), 'closed');
    expect(out.bytes()).toEqual(
      writeSafetensors({
        a: { data: Float32Array.of(1, 2), shape: [2] },
        b: { data: Uint8Array.of(1, 2, 3), shape: [3] },
      }),
    );
  });

  test('ends with the failure of what it writes to', async () => {
    let calls = 0;
    const stream = await streamSafetensors({ a: { type: 'U8', shape: [2] } }, () => {
      if (++calls > 1) throw new Error('disk full');
    });
    await expect(stream.write('a', Uint8Array.of(1))).rejects.toThrow('disk full');
    await failure(stream.write('a', Uint8Array.of(1)), 'closed');
    await failure(stream.end(), 'closed');
  });

  test.each([
    ['a reserved name', { __metadata__: { type: 'U8', shape: [1] } }],
    ['an unknown type', { a: { type: 'F8' as SafetensorsType, shape: [1] } }],
    ['a fractional size', { a: { type: 'U8', shape: [1.5] } }],
    ['more than a file can hold', { a: { type: 'F64', shape: [2 ** 52, 2 ** 52] } }],
  ] as [string, Record<string, { type: SafetensorsType; shape: number[] }>][])(
    'refuses %s before anything is written',
    async (_what, wrong) => {
      const out = collected();
      await failure(streamSafetensors(wrong, out.sink), 'invalid-argument');
      expect(out.bytes().length).toBe(0);
    },
  );
});
