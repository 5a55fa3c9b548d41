import { checkText } from '../../bytes/check-text.js';
import { halfToFloat } from '../../bytes/half-float.js';
import { ownBytes } from '../../bytes/typed-array.js';
import { badFile, invalidArgument, unsupported } from '../../errors.js';
import { kindOf } from '../../value-kind.js';
import { showJson } from '../json/show-json.js';
import { readNpyHeader } from './npy-header.js';

/** Arrays that `writeNpy` takes; the element type in the file follows from the array's. */
export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/**
 * A .npy file's values, row-major, and the type they have in the file; the type of `data` follows
 * from `dtype`.
 */
export type NpyArray = {
  /** Length of each dimension; empty for a single value. */
  readonly shape: readonly number[];
} & (
  | { readonly dtype: 'f2' | 'f4'; readonly data: Float32Array }
  // 64-bit integers come as float64, exactly
  | { readonly dtype: 'f8' | 'i8' | 'u8'; readonly data: Float64Array }
  | { readonly dtype: 'i1'; readonly data: Int8Array }
  // bool comes as 0 and 1
  | { readonly dtype: 'u1' | 'b1'; readonly data: Uint8Array }
  | { readonly dtype: 'i2'; readonly data: Int16Array }
  | { readonly dtype: 'u2'; readonly data: Uint16Array }
  | { readonly dtype: 'i4'; readonly data: Int32Array }
  | { readonly dtype: 'u4'; readonly data: Uint32Array }
);

/**
 * Reads a whole .npy file: versions 1.0 to 3.0, little-endian numbers and bool, C order. `data` is
 * always a copy. `f2` becomes float32. `i8` and `u8` become float64, and a value beyond ±(2^53 -
 * 1), which float64 cannot hold exactly, raises `unsupported`. `where` names the file in errors.
 * Raises `bad-file` when the file is not .npy, damaged, truncated or too long (lengths are compared
 * before anything is allocated), `unsupported` for what `readNpyHeader` lists.
 */
export function readNpy(file: Uint8Array, where = 'npy'): NpyArray {
  checkText(where, 'readNpy: where');
  const bytes = ownBytes(file, 'readNpy');
  const { dtype, shape, dataOffset, dataBytes } = readNpyHeader(bytes, where);
  const got = bytes.length - dataOffset;
  if (got !== dataBytes) {
    const problem = got < dataBytes ? 'the file is truncated' : 'the file is too long';
    throw badFile(
      where,
      `${got} bytes of data, expected ${dataBytes} for ${dtype} [${shape}]: ${problem}`,
    );
  }
  // a copy is aligned (not by slice(): a Buffer's is a view); every platform in use is
  // little-endian
  const copy = new Uint8Array(dataBytes);
  copy.set(bytes.subarray(dataOffset));
  const { buffer } = copy;
  switch (dtype) {
    case 'f2':
      return { dtype, shape, data: halfToFloat(new Uint16Array(buffer)) };
    case 'f4':
      return { dtype, shape, data: new Float32Array(buffer) };
    case 'f8':
      return { dtype, shape, data: new Float64Array(buffer) };
    case 'i8':
      return { dtype, shape, data: exactFloats(new BigInt64Array(buffer), where) };
    case 'u8':
      return { dtype, shape, data: exactFloats(new BigUint64Array(buffer), where) };
    case 'i1':
      return { dtype, shape, data: new Int8Array(buffer) };
    case 'u1':
      return { dtype, shape, data: new Uint8Array(buffer) };
    case 'b1':
      return { dtype, shape, data: new Uint8Array(buffer).map((byte) => (byte === 0 ? 0 : 1)) };
    case 'i2':
      return { dtype, shape, data: new Int16Array(buffer) };
    case 'u2':
      return { dtype, shape, data: new Uint16Array(buffer) };
    case 'i4':
      return { dtype, shape, data: new Int32Array(buffer) };
    case 'u4':
      return { dtype, shape, data: new Uint32Array(buffer) };
  }
}

/**
 * Writes a .npy file (version 1.0, C order) whose type is that of `data`; `shape` must have as many
 * values as `data`. What came from `f2`, `i8`, `u8` or `b1` is therefore written as the float32,
 * float64 or uint8 that it became.
 */
export function writeNpy(array: {
  readonly shape: readonly number[];
  readonly data: NpyData;
}): Uint8Array {
  const where = 'writeNpy';
  const { shape, data } = Object(array) as typeof array;
  const descr = DESCRS[kindOf(data)];
  if (descr === undefined || !ArrayBuffer.isView(data)) {
    throw invalidArgument(
      where,
      'data must be a float, int8, int16 or int32 typed array (signed or unsigned)',
    );
  }
  if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw invalidArgument(where, `shape ${showJson(shape)}, expected non-negative integers`);
  }
  const length = shape.reduce((product, n) => product * n, 1);
  if (length !== data.length) {
    throw invalidArgument(where, `shape [${shape}] has ${length} values, got ${data.length}`);
  }
  // a tuple of one is written (3,)
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // spaces up to a newline, so that the data begins at a multiple of 64
  const dataOffset = Math.ceil((10 + dict.length + 1) / 64) * 64;
  if (dataOffset > 0xffff) throw invalidArgument(where, `too many dimensions: ${shape.length}`);
  const file = new Uint8Array(dataOffset + data.byteLength);
  file.set([
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    (dataOffset - 10) & 0xff,
    (dataOffset - 10) >> 8,
  ]);
  file.set(new TextEncoder().encode(`${dict.padEnd(dataOffset - 11)}\n`), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), dataOffset);
  return file;
}

/** By the kinds of arrays, so that those of other realms count too. */
const DESCRS: Readonly<Record<string, string | undefined>> = {
  Float32Array: '<f4',
  Float64Array: '<f8',
  Int8Array: '|i1',
  Uint8Array: '|u1',
  Int16Array: '<i2',
  Uint16Array: '<u2',
  Int32Array: '<i4',
  Uint32Array: '<u4',
};

function exactFloats(integers: BigInt64Array | BigUint64Array, where: string): Float64Array {
  const out = new Float64Array(integers.length);
  for (let i = 0; i < integers.length; i++) {
    out[i] = Number(integers[i]);
    if (!Number.isSafeInteger(out[i])) {
      throw unsupported(
        where,
        `value ${integers[i]} at position ${i}, expected integers within ±(2^53 - 1)`,
      );
    }
  }
  return out;
}
