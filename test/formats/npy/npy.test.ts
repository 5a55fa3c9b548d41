import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { halfToFloat } from '../../../src/bytes/half-float.js';
import { isLemurError } from '../../../src/errors.js';
import { type NpyData, readNpy, writeNpy } from '../../../src/formats/npy/npy.js';
import { readNpyHeader } from '../../../src/formats/npy/npy-header.js';

const fixtures = new URL('../../fixtures/npy/', import.meta.url);
const expected: Record<
  string,
  { dtype?: string; shape: number[]; values: (string | number)[]; error?: string }
> = JSON.parse(readFileSync(new URL('expected.json', fixtures), 'utf8'));

/** A file with this header text, as version 1.0, in front of so many zero bytes. */
function fileWith(header: string, dataBytes = 0): Uint8Array {
  const head = new TextEncoder().encode(header);
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode('NUMPY'),
    1,
    0,
    head.length & 255,
    head.length >> 8,
    ...head,
    ...new Uint8Array(dataBytes),
  ]);
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return isLemurError(error) ? error.code : String(error);
  }
  return 'none';
}

describe('files written by numpy', () => {
  for (const [name, { dtype, shape, values, error }] of Object.entries(expected)) {
    test(error === undefined ? `${name} is read` : `${name} is refused as ${error}`, () => {
      const bytes = readFileSync(new URL(`${name}.npy`, fixtures)); // a Buffer, possibly unaligned
      if (error !== undefined) {
        expect(codeOf(() => readNpy(bytes, name))).toBe(error);
        return;
      }
      const array = readNpy(bytes, name);
      expect(array.dtype).toBe(dtype);
      expect(array.shape).toEqual(shape);
      expect([...array.data]).toEqual(
        values.map((value) =>
          value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value),
        ),
      );
    });
  }

  test('are read from any position in a larger buffer, and the result does not share its memory', () => {
    const file = readFileSync(new URL('f8.npy', fixtures));
    const larger = new Uint8Array(file.length + 3);
    larger.set(file, 3);
    const { data } = readNpy(larger.subarray(3));
    larger.fill(0);
    expect([...data]).toEqual(expected.f8.values.map(Number));
  });

  test('are written with the same data and header fields', () => {
    const file = readFileSync(new URL('f4.npy', fixtures));
    const written = writeNpy({ shape: [2, 3], data: readNpy(file).data as Float32Array });
    expect(written.length % 4).toBe(0);
    expect(readNpyHeader(written).dataOffset % 64).toBe(0);
    expect(Buffer.from(written.subarray(10)).toString('latin1').trimEnd().split('}')[0]).toBe(
      Buffer.from(file.subarray(10)).toString('latin1').split('}')[0],
    );
    expect(written.subarray(-24)).toEqual(new Uint8Array(file.subarray(-24)));
  });
});

describe('damaged files', () => {
  const file = writeNpy({ shape: [2, 3], data: new Float32Array(6) });

  test('every truncation is a bad file', () => {
    for (let length = 0; length < file.length; length++)
      expect(codeOf(() => readNpy(file.subarray(0, length)))).toBe('bad-file');
  });

  test('what was got and what was expected is said', () => {
    expect(() => readNpy(file.subarray(0, -1), 'a.npy')).toThrow(
      'a.npy: 23 bytes of data, expected 24 for f4 [2,3]: the file is truncated',
    );
    expect(() => readNpy(Uint8Array.from([...file, 0]), 'a.npy')).toThrow(
      '25 bytes of data, expected 24 for f4 [2,3]: the file is too long',
    );
    expect(() => readNpy(new Uint8Array(20), 'a.npy')).toThrow(
      'begins with the bytes 00 00 00 00 00 00',
    );
  });

  test('an unknown version is unsupported', () => {
    const other = file.slice();
    other[6] = 4;
    expect(codeOf(() => readNpy(other))).toBe('unsupported');
  });

  test('a huge shape fails before anything is allocated', () => {
    for (const shape of [
      '(4503599627370496,)',
      '(99999999999999999999,)',
      '(4294967296, 4294967296, 4294967296)',
      '(1000000000, 1000)',
    ]) {
      expect(
        codeOf(() =>
          readNpy(fileWith(`{'descr': '<f8', 'fortran_order': False, 'shape': ${shape}, }`, 8)),
        ),
      ).toBe('bad-file');
    }
  });

  const good = ["'descr': '<i4'", "'fortran_order': False", "'shape': (2,)"];
  const headers: Record<string, string> = {
    'no dictionary': '   ',
    'no closing brace': `{${good.join(', ')}`,
    'something behind it': `{${good.join(', ')}} x`,
    'a key missing': `{${good.slice(1).join(', ')}}`,
    'a key twice': `{${[...good, good[0]].join(', ')}}`,
    'another key': `{${[...good, "'x': 1"].join(', ')}}`,
    'no comma': `{${good.join(' ')}}`,
    'an open string': `{'descr`,
    'an escape': `{'descr': '\\x3ci4', ${good.slice(1).join(', ')}}`,
    'a number instead of a tuple': `{${good[0]}, ${good[1]}, 'shape': (2)}`,
    'a negative length': `{${good[0]}, ${good[1]}, 'shape': (-2,)}`,
    'a fraction': `{${good[0]}, ${good[1]}, 'shape': (2.0,)}`,
    'an empty place in the tuple': `{${good[0]}, ${good[1]}, 'shape': (,)}`,
    'a lower-case boolean': `{${good[0]}, 'fortran_order': false, ${good[2]}}`,
  };
  for (const [what, header] of Object.entries(headers)) {
    test(`a header with ${what} is a bad file`, () =>
      expect(codeOf(() => readNpy(fileWith(header, 8)))).toBe('bad-file'));
  }

  test('headers of other writers are read: any order, double quotes, no spaces, Python 2 integers', () => {
    for (const header of [
      `{"shape":(2,),"descr":"<i4","fortran_order":False}`,
      ` {'fortran_order': True, 'shape': (2L,), 'descr': '<i4',}\n`,
    ]) {
      expect(readNpy(fileWith(header, 8)).shape).toEqual([2]);
    }
  });

  test('random bytes behind the magic never raise anything but a LemurError', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ maxLength: 60, unit: fc.constantFrom(..."{}()':,<f4 \n\\LTrueFalse12") }),
        (tail, text) => {
          const inputs = [Uint8Array.from([...file.subarray(0, 7), ...tail]), fileWith(text)];
          for (const bytes of inputs)
            expect(['bad-file', 'unsupported', 'none']).toContain(codeOf(() => readNpy(bytes)));
        },
      ),
    );
  });
});

describe('writing', () => {
  test('what is written is read back, in shape, type and bits', () => {
    const kinds = [
      Float32Array,
      Float64Array,
      Int8Array,
      Uint8Array,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
        fc.uint8Array({ minLength: 2048, maxLength: 2048 }),
        (Kind, shape, noise) => {
          const length = shape.reduce((product, n) => product * n, 1);
          const data: NpyData = new Kind(noise.buffer, 0, length);
          const back = readNpy(writeNpy({ shape, data }));
          expect(back.shape).toEqual(shape);
          expect(back.data.constructor).toBe(Kind);
          expect(new Uint8Array(back.data.buffer)).toEqual(
            new Uint8Array(noise.buffer.slice(0, data.byteLength)),
          );
        },
      ),
    );
  });

  test('a shape that does not fit is an invalid argument', () => {
    expect(codeOf(() => writeNpy({ shape: [2, 2], data: new Float32Array(3) }))).toBe(
      'invalid-argument',
    );
    expect(codeOf(() => writeNpy({ shape: [-1, -3], data: new Float32Array(3) }))).toBe(
      'invalid-argument',
    );
    expect(codeOf(() => writeNpy({ shape: [3], data: [1, 2, 3] as unknown as NpyData }))).toBe(
      'invalid-argument',
    );
  });
});

test('all 65,536 half-precision numbers have the value that their bits say', () => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const got = halfToFloat(halves);
  const want = Float32Array.from(halves, (half) => {
    const exponent = (half >> 10) & 31;
    const fraction = (half & 1023) / 1024;
    const sign = half & 0x8000 ? -1 : 1;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
  });
  expect(got).toEqual(want);
});
