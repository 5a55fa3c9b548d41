import { unsupported } from '../../errors.js';
import { type SafetensorsType, toFloat32, toTypedArray } from './safetensors.js';
import { elementSizes } from './safetensors-header.js';

/**
 * `count` values of one type as float32, from their bytes (row-major, little-endian) that `each`
 * hands over in order, in chunks of whole values; `at` is in bytes from the first. Rejects as
 * `each` does, and with 'unsupported' where the platform has no room for so many.
 */
export async function floatsFromChunks(
  type: SafetensorsType,
  count: number,
  where: string,
  each: (use: (chunk: Uint8Array, at: number) => void) => Promise<void>,
): Promise<Float32Array> {
  const out = new Float32Array(room(4 * count, where));
  const bytes = new Uint8Array(out.buffer);
  const width = elementSizes[type];
  await each((chunk, at) => {
    if (type === 'F32') bytes.set(chunk, at);
    else out.set(toFloats(type, chunk, where), at / width);
  });
  return out;
}

/**
 * Values of any type that an array holds, as float32: integers and float64 rounded, BOOL as 0 and
 * 1. Always a copy.
 */
export function toFloats(type: SafetensorsType, bytes: Uint8Array, where: string): Float32Array {
  const entry = { type: type === 'BOOL' ? 'U8' : type, shape: [], bytes } as const;
  return type.includes('F')
    ? toFloat32(entry, where)
    : Float32Array.from(toTypedArray(entry, where) as ArrayLike<number>, Number);
}

/** A buffer of so many bytes, zeros. */
export function room(bytes: number, where: string): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw unsupported(where, `no room for ${bytes} bytes at once, expected fewer rows`, cause);
  }
}
