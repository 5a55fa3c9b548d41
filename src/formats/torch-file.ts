import { LemurError } from '../errors.js';
import { unpickle } from './pickle.js';
import type { PickleMap, PickleStorage, PickleTensor, PickleValue, StorageType } from './pickle-values.js';
import { type SafetensorsType, toFloat32, toTypedArray } from './safetensors.js';
import { readZip } from './zip.js';

export type { PickleMap as TorchMap, PickleTensor as TorchTensor, PickleValue as TorchValue };

const TYPES: Readonly<Record<StorageType, { type: SafetensorsType; bytes: number }>> = {
  FloatStorage: { type: 'F32', bytes: 4 },
  DoubleStorage: { type: 'F64', bytes: 8 },
  HalfStorage: { type: 'F16', bytes: 2 },
  BFloat16Storage: { type: 'BF16', bytes: 2 },
  IntStorage: { type: 'I32', bytes: 4 },
  LongStorage: { type: 'I64', bytes: 8 },
};

const PICKLE = /^([^/]+)\/data\.pkl$/;
/** Tensors may share a storage, but not so often that a small file fills the memory: bytes of all tensors to bytes of the file. */
const MOST_SHARING = 8;

/**
 * Reads what torch.save writes since torch 1.6: a zip with a pickle and a file for each storage. Tensors come as float32, row-major, whatever
 * their type and strides. `where` names the file in errors. Rejects as `readZip` and `unpickle` do, and with `bad-file` for tensors that
 * reach beyond their storage.
 */
export async function readTorchFile(bytes: Uint8Array, where: string): Promise<PickleValue> {
  if (bytes[0] === 0x80) throw unsupported(where, 'it is in the format from before torch 1.6, expected the zip format');
  const entries = await readZip(bytes, where);
  const names = [...entries.keys()].filter((name) => PICKLE.test(name));
  if (names.length !== 1) throw badFile(where, `${names.length} entries named */data.pkl, expected 1`);
  const root = names[0].replace(PICKLE, '$1');
  const order = entries.get(`${root}/byteorder`);
  if (order && new TextDecoder().decode(order) !== 'little') throw unsupported(where, 'its numbers are not little-endian');

  let left = MOST_SHARING * bytes.length;
  return unpickle(entries.get(names[0])!, `${where}/data.pkl`, (storage, offset, shape, strides) => {
    const values = entries.get(`${root}/data/${storage.key}`);
    const { type, bytes: size } = TYPES[storage.type];
    if (values?.length !== storage.length * size) {
      throw badFile(where, `storage '${storage.key}' has ${values?.length ?? 'no'} bytes, expected ${storage.length * size}`);
    }
    const count = checkReach(storage, offset, shape, strides, where);
    left -= 4 * count;
    if (left < 0) throw unsupported(where, 'its tensors share their storages too often');
    const own = gather(values, size, count, offset, shape, strides);
    return { shape: [...shape], data: asFloats(type, shape, own, where) };
  });
}

/** The number of values, after it is clear that all lie within the storage and none is meant to be repeated. */
function checkReach(storage: PickleStorage, offset: number, shape: readonly number[], strides: readonly number[], where: string): number {
  const count = shape.reduce((product, length) => product * length, 1);
  if (count === 0) return 0;
  const last = shape.reduce((sum, length, i) => sum + (length - 1) * strides[i], offset);
  if (!(last < storage.length)) throw badFile(where, `a tensor [${shape}] reaches value ${last} of the ${storage.length} of its storage`);
  if (count > storage.length) throw unsupported(where, `a tensor [${shape}] repeats the ${storage.length} values of its storage`);
  return count;
}

/** The bytes of the tensor's values, row-major: a view where they lie that way, else a copy. */
function gather(
  values: Uint8Array,
  size: number,
  count: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  if (count === 0) return values.subarray(0, 0);
  let expected = 1;
  let contiguous = true;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] > 1 && strides[i] !== expected) contiguous = false;
    expected *= shape[i];
  }
  if (contiguous) return values.subarray(offset * size, (offset + count) * size);

  const out = new Uint8Array(count * size);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < size; b++) out[i * size + b] = values[from * size + b];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}

function asFloats(type: SafetensorsType, shape: readonly number[], bytes: Uint8Array, where: string): Float32Array {
  const entry = { type, shape, bytes };
  return type === 'I32' || type === 'I64'
    ? Float32Array.from(toTypedArray(entry, where) as ArrayLike<number>, Number)
    : toFloat32(entry, where);
}

function badFile(where: string, problem: string): LemurError {
  return new LemurError('bad-file', `${where}: not a valid torch file: ${problem}`, { where });
}

function unsupported(where: string, problem: string): LemurError {
  return new LemurError('unsupported', `${where}: a torch file that is not read here: ${problem}`, { where });
}
