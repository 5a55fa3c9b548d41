import { LemurError } from '../errors.js';
import { kindOf } from '../value-kind.js';

/**
 * A caller's Float32Array, of whatever realm (a frame, node:vm), as one of this realm: the same memory, or a copy where its buffer may change its length.
 * Raises 'invalid-argument' for anything else, and for an array whose buffer was transferred away.
 */
export function ownFloats(value: unknown, where: string): Float32Array {
  if (kindOf(value) !== 'Float32Array' || !ArrayBuffer.isView(value))
    throw invalid(where, `expected a Float32Array, got ${typeName(value)}`);
  const floats = value as Float32Array;
  checkAttached(floats, where);
  const { buffer } = floats as { buffer: { resizable?: boolean; growable?: boolean } };
  if (buffer.resizable || buffer.growable) return new Float32Array(floats);
  return Object.getPrototypeOf(floats) === Float32Array.prototype
    ? floats
    : new Float32Array(floats.buffer, floats.byteOffset, floats.length);
}

/** Raises 'invalid-argument' where an array's buffer was transferred away: it looks like an empty one. */
export function checkAttached(view: ArrayBufferView, where: string): void {
  if (view.byteLength > 0) return;
  try {
    new Uint8Array(view.buffer);
  } catch (cause) {
    throw new LemurError('invalid-argument', `${where}: the array's buffer was transferred away`, { where }, { cause });
  }
}

/** Zeros. Raises 'invalid-argument' where there is no room for them. */
export function newFloats(length: number, where: string): Float32Array {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw new LemurError('invalid-argument', `${where}: ${length} values do not fit into memory`, { where }, { cause });
  }
}

/** Whether it is an array of numbers by its type: an array, or a typed one but for 64-bit integers. */
export function isNumberArray(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && /^(?!Big).*Array$/.test(kindOf(value)));
}

/** The kind of a value as messages have it. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? kindOf(value) : typeof value;
}

function invalid(where: string, problem: string): LemurError {
  return new LemurError('invalid-argument', `${where}: ${problem}`, { where });
}
