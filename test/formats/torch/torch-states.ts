import { bytesSource } from '../../../src/bytes/byte-source.js';
import { isLemurError, type LemurError } from '../../../src/errors.js';
import type { TensorFile } from '../../../src/formats/safetensors/tensor-file.js';
import { openTorchTensors } from '../../../src/formats/torch/torch-tensors.js';
import { numbers } from '../../numbers.js';
import { pickle, stateDict, storage, tensor, torchFile } from './torch-bytes.js';

export const raw = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
export const open = (file: Uint8Array): Promise<TensorFile> =>
  openTorchTensors(bytesSource(file), 'm.bin');

export async function failure(
  promise: Promise<unknown>,
  code: 'bad-file' | 'invalid-argument' | 'unsupported' = 'bad-file',
): Promise<LemurError> {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (isLemurError(error, code)) return error;
  throw new Error(`expected ${code}, got ${String(error)}`);
}

/** What the bits of a finite half-precision number say, by the definition. */
export function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  return (
    (bits >> 15 ? -1 : 1) *
    (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  );
}

/**
 * Two tensors that have their storages to themselves, one of them transposed, and a third that is
 * no floating-point one.
 */
export const a = numbers(3).floats(600);
const b = Uint16Array.from({ length: 60 }, (_, i) => 0x3c00 + i * 17);
export const plain: [string, Uint8Array][] = [
  ['a', tensor(storage('FloatStorage', '0', 600), 0, [100, 6], [6, 1])],
  ['b', tensor(storage('HalfStorage', '1', 60), 0, [12, 5], [1, 12])],
  ['ids', tensor(storage('LongStorage', '2', 3), 0, [3], [1])],
];
export const storages = { 0: raw(a), 1: raw(b), 2: raw(BigInt64Array.of(0n, 1n, 2n)) };
export const file = torchFile(pickle(stateDict(...plain)), storages);
export const transposed = Float32Array.from({ length: 60 }, (_, i) =>
  half(b[(i % 5) * 12 + Math.floor(i / 5)]),
);
