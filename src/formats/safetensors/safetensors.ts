import { checkText } from '../../bytes/check-text.js';
import { halfToFloat } from '../../bytes/half-float.js';
import { ownBytes } from '../../bytes/typed-array.js';
import { invalidArgument } from '../../errors.js';
import { atOnce, nextMacrotask } from '../../pacer.js';
import { describeKind, kindOf } from '../../value-kind.js';
import {
  AT_ONCE_LIMITS,
  badSafetensors,
  elementSizes,
  headerLength,
  LENGTH_BYTES,
  parseHeader,
  placeTensors,
  product,
  type SafetensorsTensor,
  type SafetensorsType,
} from './safetensors-header.js';
import { checkTensors, layOut } from './safetensors-layout.js';

export type { SafetensorsTensor, SafetensorsType } from './safetensors-header.js';

/**
 * One tensor as it lies in the file: row-major little-endian values, not necessarily aligned to
 * their size.
 */
export interface SafetensorsEntry extends SafetensorsTensor {
  /** Its values, a view of the file. */
  readonly bytes: Uint8Array;
}

/** A file's tensors in the order of their bytes, and the strings it carries about itself. */
export interface Safetensors {
  /** Tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** The strings that the file carries about itself. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Arrays that can be written; the element type follows from the array's. */
export type SafetensorsArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint8Array;

/**
 * Reads a safetensors file: 8 bytes of header length, a JSON header, the tensors' bytes end to end.
 * Tensors are views of `file`. `where` names the file in errors. Raises `bad-file` for anything
 * that the format does not allow, and for more than 8,192 tensors. `openSafetensors` reads larger
 * files in parts.
 */
export function readSafetensors(given: Uint8Array, where = 'safetensors'): Safetensors {
  checkText(where, 'readSafetensors: where');
  const file = ownBytes(given, 'readSafetensors');
  const begin = LENGTH_BYTES + headerLength(file, file.length, where);
  const body = file.subarray(begin);
  const json = file.subarray(LENGTH_BYTES, begin);
  const header = atOnce(parseHeader(json, where, AT_ONCE_LIMITS));
  const { tensors, metadata } = atOnce(placeTensors(header, body.length, where));
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, { type, shape, begin: from, end }] of tensors)
    entries.set(name, { type, shape, bytes: body.subarray(from, end) });
  return { tensors: entries, metadata };
}

/**
 * A tensor's values as float32, whatever its floating-point type (F64 is rounded). Always a copy.
 * Raises `bad-file` for other types.
 */
export function toFloat32(entry: SafetensorsEntry, where: string): Float32Array {
  // a copy, aligned; slice() of a Node Buffer would be a view
  const bytes = new Uint8Array(entry.bytes);
  const count = bytes.length / elementSizes[entry.type];
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
      throw badSafetensors(where, `a tensor of type ${entry.type}, expected a floating-point one`);
  }
}

/**
 * A tensor's values in an array of exactly its type (F64, F32 or an integer type). Always a copy.
 */
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
      throw badSafetensors(
        where,
        `a tensor of type ${entry.type}, expected F64, F32, I64, I32, I16, I8, U32 or U8`,
      );
  }
}

/**
 * Writes a safetensors file. The order is that of `tensors`, except that wider elements come first,
 * so that every tensor is aligned. The same input gives the same bytes. `streamSafetensors` writes
 * larger ones in parts.
 */
export function writeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { start, tensors: placed, size } = layOut(declare(tensors), metadata, 'writeSafetensors');
  const file = new Uint8Array(size);
  file.set(start);
  for (const [name, { begin }] of placed)
    file.set(bytesOf(tensors[name].data), start.length + begin);
  return file;
}

type Tensors = Readonly<Record<string, { data: SafetensorsArray; shape: readonly number[] }>>;

/** Bytes that are copied, and tensors that are placed, between two turns of the event loop. */
const COPIED = 1 << 23;
const PLACED = 1024;

/** Writes such a file, giving way to other work between parts. The arrays must not change. */
export async function writeSafetensorsPaced(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const declared = declare(tensors);
  await nextMacrotask();
  const { start, tensors: placed, size } = layOut(declared, metadata, 'writeSafetensors');
  await nextMacrotask();
  const file = new Uint8Array(size);
  file.set(start);
  let [copied, written] = [0, 0];
  for (const [name, { begin }] of placed) {
    const bytes = bytesOf(tensors[name].data);
    for (let from = 0; from < bytes.length; from += COPIED) {
      const part = bytes.subarray(from, from + COPIED);
      file.set(part, start.length + begin + from);
      copied += part.length;
      if (copied < COPIED) continue;
      copied = 0;
      await nextMacrotask();
    }
    if (++written % PLACED === 0) await nextMacrotask();
  }
  return file;
}

/** Raises 'invalid-argument' for arrays that do not have their shape. */
function declare(tensors: Tensors): Record<string, SafetensorsTensor> {
  const declared: [string, SafetensorsTensor][] = [];
  checkTensors(tensors, 'writeSafetensors');
  for (const [name, { data, shape }] of Object.entries(tensors)) {
    const where = `writeSafetensors: ${name}`;
    if (!Array.isArray(shape))
      throw invalidArgument(where, `expected { data, shape }, got shape: ${describeKind(shape)}`);
    const type = TYPES[kindOf(data)];
    if (type === undefined || !ArrayBuffer.isView(data)) {
      const expected = `a ${Object.keys(TYPES).join(', ')}`;
      throw invalidArgument(where, `expected ${expected}, got ${describeKind(data)}`);
    }
    if (product(shape) !== data.length) {
      throw invalidArgument(
        where,
        `shape [${shape}] has ${product(shape)} values, got ${data.length}`,
      );
    }
    declared.push([name, { type, shape }]);
  }
  return Object.fromEntries(declared);
}

function bytesOf({ buffer, byteOffset, byteLength }: SafetensorsArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** By the kinds of arrays, so that those of other realms count too. */
const TYPES: Readonly<Record<string, SafetensorsType | undefined>> = {
  Float64Array: 'F64',
  Float32Array: 'F32',
  BigInt64Array: 'I64',
  Int32Array: 'I32',
  Int16Array: 'I16',
  Int8Array: 'I8',
  Uint32Array: 'U32',
  Uint8Array: 'U8',
};
