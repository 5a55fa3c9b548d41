import { type ByteSource, readBytes } from '../../bytes/byte-source.js';
import { elementSizes } from '../safetensors/safetensors-header.js';
import { readEntry, type ZipContents } from '../zip/zip-file.js';
import { checkPickleLength, unpickle } from './pickle.js';
import type { PickleStorage, PickleValue } from './pickle-values.js';
import {
  badTorch,
  checkReach,
  type StoredTensor,
  storageTypes,
  unsupportedTorch,
} from './stored-tensor.js';

/** The content of a torch file, without the values of its tensors. */
export interface TorchProgram {
  readonly value: PickleValue;
  /** Where the values lie, by the tensors within `value`, whose `data` is empty. */
  readonly tensors: ReadonlyMap<PickleValue, StoredTensor>;
}

const PICKLE = /^([^/]+)\/data\.pkl$/;
/**
 * Tensors may share a storage, but not so often that a small file fills the memory: bytes of all
 * tensors to bytes of the file.
 */
const MOST_SHARING = 8;
const NONE = new Float32Array(0);

/**
 * Counts values as float32 of tensors from a file of `fileSize` bytes, all together; raises
 * 'unsupported' where they are too many for it.
 */
export function sharingLimit(fileSize: number, where: string): (values: number) => void {
  let left = MOST_SHARING * fileSize;
  return (values) => {
    left -= 4 * values;
    if (left < 0) throw unsupportedTorch(where, 'its tensors share their storages too often');
  };
}

/**
 * Rejects with 'unsupported' for a file as torch wrote it before its format was a zip; reads its
 * first byte.
 */
export async function checkTorchFormat(source: ByteSource, signal?: AbortSignal): Promise<void> {
  const [first] = await readBytes(source, 0, Math.min(1, source.size), signal);
  if (first === 0x80)
    throw unsupportedTorch(
      source.name,
      'it is in the format from before torch 1.6, expected the zip format',
    );
}

/**
 * Reads the pickle of a torch file of `fileSize` bytes and checks every tensor of it against its
 * storage, without reading any of them. Rejects as `zip.each` and `unpickle` do, with 'bad-file'
 * for tensors that reach beyond their storage and storages that are not there or of another length,
 * 'unsupported' for tensors that repeat values, storages that are shared too often and numbers that
 * are not little-endian.
 */
export async function readTorchProgram(
  zip: ZipContents,
  fileSize: number,
  where: string,
  signal?: AbortSignal,
): Promise<TorchProgram> {
  const names = [...zip.sizes.keys()].filter((name) => PICKLE.test(name));
  if (names.length !== 1)
    throw badTorch(where, `${names.length} entries named */data.pkl, expected 1`);
  const root = names[0].replace(PICKLE, '$1');
  await checkByteOrder(zip, `${root}/byteorder`, where, signal);
  const at = `${where}/data.pkl`;
  checkPickleLength(zip.sizes.get(names[0])!, at);

  const tensors = new Map<PickleValue, StoredTensor>();
  const count = sharingLimit(fileSize, where);
  const program = await readEntry(zip, names[0], signal);
  const value = unpickle(program, at, (storage, offset, shape, strides) => {
    const stored = {
      type: storageTypes[storage.type],
      shape,
      strides,
      offset,
      entry: `${root}/data/${storage.key}`,
    };
    checkStorage(zip, storage, stored, where);
    count(checkReach(stored, storage.length, where));
    const tensor = { shape, data: NONE };
    tensors.set(tensor, stored);
    return tensor;
  });
  return { value, tensors };
}

function checkStorage(
  zip: ZipContents,
  storage: PickleStorage,
  { type, entry }: StoredTensor,
  where: string,
): void {
  const size = zip.sizes.get(entry);
  const expected = storage.length * elementSizes[type];
  if (size !== expected)
    throw badTorch(
      where,
      `storage '${storage.key}' has ${size ?? 'no'} bytes, expected ${expected}`,
    );
}

/** Files from before torch 2.1 do not say; all machines that wrote them are little-endian. */
async function checkByteOrder(
  zip: ZipContents,
  name: string,
  where: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const size = zip.sizes.get(name);
  const little =
    size === undefined ||
    (size === 6 && new TextDecoder().decode(await readEntry(zip, name, signal)) === 'little');
  if (!little) throw unsupportedTorch(where, 'its numbers are not little-endian');
}
