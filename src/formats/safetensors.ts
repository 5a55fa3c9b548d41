import { LemurError } from '../errors.js';
import { halfToFloat } from './half-float.js';
import { showJson } from './show-json.js';

/** The format's element types, by their names in the header. */
export type SafetensorsType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U64' | 'U32' | 'U16' | 'U8' | 'BOOL';

/** One tensor as it lies in the file: row-major little-endian values, not necessarily aligned to their size. */
export interface SafetensorsEntry {
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A file's tensors in the order of their bytes, and the strings it carries about itself. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Arrays that can be written; the element type follows from the array's. */
export type SafetensorsArray = Float64Array | Float32Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint32Array | Uint8Array;

const sizes: Readonly<Record<SafetensorsType, number>> = {
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
};

/** A header longer than this is taken for damage, as the reference implementation does. */
const headerLimit = 100_000_000;

/**
 * Reads a safetensors file: 8 bytes of header length, a JSON header, the tensors' bytes end to end. Tensors are views of `file`.
 * `where` names the file in errors. Raises `bad-file` for anything that the format does not allow.
 */
export function readSafetensors(file: Uint8Array, where: string): Safetensors {
  if (file.length < 8) throw badFile(where, `${file.length} bytes, expected at least the 8 of the header's length`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > headerLimit) throw badFile(where, `a header of ${headerLength} bytes, expected at most ${headerLimit}`);
  if (8 + headerLength > file.length) {
    throw badFile(where, `${file.length} bytes, expected at least ${8 + headerLength}: the header is cut off`);
  }
  const header = parseHeader(file.subarray(8, 8 + headerLength), where);
  const body = file.subarray(8 + headerLength);

  let metadata: Record<string, string> = {};
  const found: { name: string; type: SafetensorsType; shape: readonly number[]; begin: number; end: number }[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkMetadata(value, where);
    else found.push({ name, ...checkEntry(value, name, where) });
  }
  found.sort((a, b) => a.begin - b.begin || a.end - b.end);

  const tensors = new Map<string, SafetensorsEntry>();
  let at = 0;
  for (const { name, type, shape, begin, end } of found) {
    if (begin !== at) throw badFile(where, `tensor ${name} begins at byte ${begin}, expected ${at}: no gaps and no overlaps`);
    if (end > body.length)
      throw badFile(where, `${body.length} bytes of tensors, expected at least ${end} for ${name}: the file is truncated`);
    tensors.set(name, { type, shape, bytes: body.subarray(begin, end) });
    at = end;
  }
  if (at !== body.length) throw badFile(where, `${body.length} bytes of tensors, expected ${at}`);
  return { tensors, metadata };
}

/** A tensor's values as float32, whatever its floating-point type (F64 is rounded). Always a copy. Raises `bad-file` for other types. */
export function toFloat32(entry: SafetensorsEntry, where: string): Float32Array {
  const bytes = new Uint8Array(entry.bytes); // a copy, aligned; slice() of a Node Buffer would be a view
  const count = bytes.length / sizes[entry.type];
  switch (entry.type) {
    case 'F32':
      return new Float32Array(bytes.buffer, 0, count);
    case 'F64':
      return Float32Array.from(new Float64Array(bytes.buffer, 0, count));
    case 'F16':
      return halfToFloat(new Uint16Array(bytes.buffer, 0, count));
    case 'BF16': {
      // the upper half of a float32
      const bits = Uint32Array.from(new Uint16Array(bytes.buffer, 0, count), (half) => half << 16);
      return new Float32Array(bits.buffer);
    }
    default:
      throw badFile(where, `a tensor of type ${entry.type}, expected a floating-point one`);
  }
}

/** A tensor's values in an array of exactly its type (F64, F32 or an integer type). Always a copy. */
export function toTypedArray(entry: SafetensorsEntry, where: string): SafetensorsArray {
  const { buffer } = new Uint8Array(entry.bytes);
  switch (entry.type) {
    case 'F64':
      return new Float64Array(buffer);
    case 'F32':
      return new Float32Array(buffer);
    case 'I64':
      return new BigInt64Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'I16':
      return new Int16Array(buffer);
    case 'I8':
      return new Int8Array(buffer);
    case 'U32':
      return new Uint32Array(buffer);
    case 'U8':
      return new Uint8Array(buffer);
    default:
      throw badFile(where, `a tensor of type ${entry.type}, expected F64, F32, I64, I32, I16, I8, U32 or U8`);
  }
}

/**
 * Writes a safetensors file. The order is that of `tensors`, except that wider elements come first, so that every tensor is aligned.
 * The same input gives the same bytes.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, { data: SafetensorsArray; shape: readonly number[] }>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const header: Record<string, unknown> = Object.create(null); // so that a tensor may be called __proto__
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let length = 0;
  for (const [name, { data, shape }] of entries) {
    const where = `writeSafetensors: ${name}`;
    if (name === '__metadata__') throw new LemurError('invalid-argument', `${where}: the name is reserved`, { where });
    if (product(shape) !== data.length) {
      throw new LemurError('invalid-argument', `${where}: shape [${shape}] has ${product(shape)} values, got ${data.length}`, { where });
    }
    header[name] = { dtype: typeOf(data), shape, data_offsets: [length, length + data.byteLength] };
    length += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8; // the format allows trailing spaces
  const file = new Uint8Array(8 + padded + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.fill(0x20, 8, 8 + padded);
  file.set(json, 8);
  let at = 8 + padded;
  for (const [, { data }] of entries) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

function parseHeader(bytes: Uint8Array, where: string): object {
  if (bytes[0] !== 0x7b) throw badFile(where, 'a header that does not begin with {');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badFile(where, 'a header that is not JSON', cause);
  }
  return header as object; // begins with {, so it is one
}

function checkMetadata(value: unknown, where: string): Record<string, string> {
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    !Object.values(value).every((item) => typeof item === 'string')
  ) {
    throw badFile(where, '__metadata__ that is not an object of strings');
  }
  return value as Record<string, string>;
}

function checkEntry(value: unknown, name: string, where: string): { type: SafetensorsType; shape: number[]; begin: number; end: number } {
  const { dtype, shape, data_offsets } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  if (typeof dtype !== 'string' || !Object.hasOwn(sizes, dtype)) {
    throw badFile(where, `tensor ${name} of type ${showJson(dtype)}, expected one of ${Object.keys(sizes).join(', ')}`);
  }
  if (!isLengths(shape)) throw badFile(where, `tensor ${name} with shape ${showJson(shape)}, expected non-negative integers`);
  if (!isLengths(data_offsets) || data_offsets.length !== 2 || data_offsets[1] < data_offsets[0]) {
    throw badFile(where, `tensor ${name} with offsets ${showJson(data_offsets)}, expected [begin, end]`);
  }
  const type = dtype as SafetensorsType;
  const [begin, end] = data_offsets;
  const expected = product(shape) * sizes[type];
  if (end - begin !== expected) {
    throw badFile(where, `tensor ${name} with ${end - begin} bytes, expected ${expected} for ${type} [${shape}]`);
  }
  return { type, shape, begin, end };
}

function isLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function typeOf(data: SafetensorsArray): SafetensorsType {
  if (data instanceof Float64Array) return 'F64';
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof Int32Array) return 'I32';
  if (data instanceof Int16Array) return 'I16';
  if (data instanceof Int8Array) return 'I8';
  return data instanceof Uint32Array ? 'U32' : 'U8';
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

function badFile(where: string, got: string, cause?: unknown): LemurError {
  return new LemurError('bad-file', `${where}: not a valid safetensors file: ${got}`, { where }, cause === undefined ? {} : { cause });
}
