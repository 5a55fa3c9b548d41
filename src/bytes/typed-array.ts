import { invalidArgument } from '../errors.js';
import { describeKind, kindOf } from '../value-kind.js';

/**
 * A caller's Float32Array, of whatever realm (a frame, node:vm), as one of this realm: the same
 * memory, or a copy where its buffer may change its length. Raises 'invalid-argument' for anything
 * else, and for an array whose buffer was transferred away.
 */
export function ownFloats(value: unknown, where: string): Float32Array {
  if (kindOf(value) !== 'Float32Array' || !ArrayBuffer.isView(value))
    throw invalidArgument(where, `expected a Float32Array, got ${typeName(value)}`);
  const floats = value as Float32Array;
  checkAttached(floats, where);
  const { buffer } = floats as { buffer: { resizable?: boolean; growable?: boolean } };
  if (buffer.resizable || buffer.growable) return new Float32Array(floats);
  return Object.getPrototypeOf(floats) === Float32Array.prototype
    ? floats
    : new Float32Array(floats.buffer, floats.byteOffset, floats.length);
}

/**
 * A file's bytes, in an array or a buffer of whatever realm, as one of this realm over the same
 * memory. Raises 'invalid-argument' for anything else.
 */
export function ownBytes(value: unknown, where: string): Uint8Array {
  if (ArrayBuffer.isView(value)) {
    checkAttached(value, where);
    return kindOf(value) === 'Uint8Array' && Object.getPrototypeOf(value) === Uint8Array.prototype
      ? (value as Uint8Array)
      : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (/^(Shared)?ArrayBuffer$/.test(kindOf(value))) {
    try {
      return new Uint8Array(value as ArrayBuffer);
    } catch (cause) {
      throw invalidArgument(where, 'the buffer was transferred away', cause);
    }
  }
  const hint =
    typeof value === 'string'
      ? ': read the file first, for instance by readFile of node:fs/promises'
      : '';
  throw invalidArgument(
    where,
    `expected a file's bytes in a Uint8Array, got ${describeKind(value)}${hint}`,
  );
}

/**
 * Raises 'invalid-argument' where an array's buffer was transferred away: it looks like an empty
 * one.
 */
export function checkAttached(view: ArrayBufferView, where: string): void {
  if (view.byteLength > 0) return;
  try {
    new Uint8Array(view.buffer);
  } catch (cause) {
    throw invalidArgument(where, "the array's buffer was transferred away", cause);
  }
}

/** Zeros. Raises 'invalid-argument' where there is no room for them. */
export function newFloats(length: number, where: string): Float32Array {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw invalidArgument(where, `${length} values do not fit into memory`, cause);
  }
}

/**
 * Whether it is an array of numbers by its type: an array, or a typed one but for 64-bit integers.
 */
export function isNumberArray(value: unknown): value is ArrayLike<number> {
  return (
    Array.isArray(value) || (ArrayBuffer.isView(value) && /^(?!Big).*Array$/.test(kindOf(value)))
  );
}

/** The kind of a value as messages have it. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? kindOf(value) : typeof value;
}
