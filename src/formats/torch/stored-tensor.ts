import { badFile, type LemurError, unsupported } from '../../errors.js';
import { floatsFromChunks, room, toFloats } from '../safetensors/float-chunks.js';
import type { SafetensorsType } from '../safetensors/safetensors.js';
import { elementSizes, product } from '../safetensors/safetensors-header.js';
import type { ZipContents } from '../zip/zip-file.js';
import type { StorageType } from './pickle-values.js';

/** Element types by the names of torch's storages. */
export const storageTypes: Readonly<Record<StorageType, SafetensorsType>> = {
  FloatStorage: 'F32',
  DoubleStorage: 'F64',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/**
 * A tensor and where its values lie: in one entry of the file, `offset` and strides counted in
 * values.
 */
export interface StoredTensor {
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly entry: string;
}

/**
 * The number of values, after it is clear that all lie within the storage of `length` values and
 * none is meant to be repeated.
 */
export function checkReach(tensor: StoredTensor, length: number, where: string): number {
  const { shape } = tensor;
  const count = product(shape);
  if (count === 0) return 0;
  const last = lastOf(tensor);
  if (!(last < length))
    throw badTorch(
      where,
      `a tensor [${shape}] reaches value ${last} of the ${length} of its storage`,
    );
  if (count > length)
    throw unsupportedTorch(
      where,
      `a tensor [${shape}] repeats the ${length} values of its storage`,
    );
  return count;
}

/** Rows of a tensor, from `first` up to before `last`: a tensor of its own. */
export function rowsOf(tensor: StoredTensor, first: number, last: number): StoredTensor {
  const { shape, strides, offset } = tensor;
  return {
    ...tensor,
    shape: [last - first, ...shape.slice(1)],
    offset: offset + first * strides[0],
  };
}

/**
 * The values as float32, row-major, whatever their type and strides. Where they lie one after
 * another, they are converted a few MiB at a time; else all that lies between the first and the
 * last of them is read at once. Rejects as `zip.each` does.
 */
export async function readTensor(
  zip: ZipContents,
  tensor: StoredTensor,
  where: string,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { type, shape, offset, entry } = tensor;
  const size = elementSizes[type];
  const count = product(shape);
  if (count === 0) return new Float32Array(0);
  if (isContiguous(tensor)) {
    const from = offset * size;
    return floatsFromChunks(type, count, where, (use) =>
      zip.each(entry, from, from + count * size, signal, use),
    );
  }
  const [from, to] = [offset * size, (lastOf(tensor) + 1) * size];
  const span = new Uint8Array(room(to - from, where));
  await zip.each(entry, from, to, signal, (chunk, at) => span.set(chunk, at));
  return toFloats(type, gather(span, size, count, tensor), where);
}

/** The place of its last value in the storage; it must have one. */
function lastOf({ shape, strides, offset }: StoredTensor): number {
  return shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis], offset);
}

function isContiguous({ shape, strides }: StoredTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    // the stride of a single row is never used
    if (shape[axis] > 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** The bytes of the values, row-major, from those that begin with the first value. */
function gather(
  span: Uint8Array,
  size: number,
  count: number,
  { shape, strides }: StoredTensor,
): Uint8Array {
  const out = new Uint8Array(count * size);
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < size; b++) out[i * size + b] = span[from * size + b];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}

export function badTorch(where: string, problem: string): LemurError {
  return badFile(where, `not a valid torch file: ${problem}`);
}

export function unsupportedTorch(where: string, problem: string): LemurError {
  return unsupported(where, `a torch file that is not read here: ${problem}`);
}
