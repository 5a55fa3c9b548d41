import { badFile, LemurError } from '../../../errors.js';
import type { KernelMemory } from '../../../kernels/memory.js';
import type { FileValues } from '../../memory.js';
import type { CpuArray, CpuArrayOf, CpuDType, CpuTensor } from '../cpu-tensor.js';
import { forEachPiece, type TensorLocation } from '../tensor-location.js';
import { elementBytes, typedView } from '../typed-view.js';
import { CachedRows, placeOf } from './cached-rows.js';

/** What a worker needs of its platform to read files. */
export interface WorkerFiles {
  /**
   * Reads bytes from `position` on into `target`, which may be shared memory; returns how many, 0
   * at the file's end. Throws the system's error.
   */
  read(descriptor: number, target: Uint8Array, position: number): number;
  /** CRC-32 (ISO-HDLC) of bytes that may be shared memory, unsigned. */
  crc32(bytes: Uint8Array): number;
}

/** The tensors that a worker was told of. */
export interface WorkerTensors {
  set(id: number, location: TensorLocation): void;
  delete(id: number): void;
  /** All values; the tensor lies in one piece of memory. */
  view<D extends CpuDType>(tensor: CpuTensor<D>): CpuArrayOf<D>;
  /** Copies the values from `from` on until `target` is full. Raises 'bad-file'. */
  copy(tensor: CpuTensor, from: number, target: CpuArray): void;
  /**
   * Address of values `from` to `to`, rows of files that are cached included; -1 where they do not
   * lie together in the kernels' memory.
   */
  address(tensor: CpuTensor, from: number, to: number): number;
  /**
   * Name of the first file that some of the values `from` to `to` lie in; null where all are in
   * memory.
   */
  file(tensor: CpuTensor, from: number, to: number): string | null;
  /** Keeps rows of a file, which lie at `address` too, where their tensor has a cache. */
  cache(tensor: CpuTensor, from: number, to: number, address: number): void;
}

/**
 * `memory` is asked for at each use, since it is there only after the first message, and its buffer
 * changes.
 */
export function createWorkerTensors(
  memory: () => Pick<KernelMemory, 'buffer'>,
  files: WorkerFiles | undefined,
): WorkerTensors {
  const locations = new Map<number, TensorLocation>();
  const cached = new CachedRows(memory);

  const locationOf = (tensor: CpuTensor): TensorLocation => {
    const location = locations.get(tensor.id);
    if (!location) throw new Error(`tensor ${tensor.id} is not on this worker`);
    return location;
  };
  const view = <D extends CpuDType>(tensor: CpuTensor<D>): CpuArrayOf<D> => {
    const location = locationOf(tensor);
    if (location.kind === 'memory')
      return typedView(tensor.dtype, memory().buffer, location.address, tensor.length);
    if (location.kind === 'buffer')
      return typedView(tensor.dtype, location.buffer, 0, tensor.length);
    throw new Error(`tensor ${tensor.id} does not lie in one piece of memory`);
  };
  const copy = (tensor: CpuTensor, from: number, target: CpuArray): void => {
    const location = locationOf(tensor);
    const to = from + target.length;
    if (location.kind === 'file')
      readFile(files, location.file, from * elementBytes(tensor.dtype), target);
    else if (location.kind === 'parts') {
      forEachPiece(location, from, to, (part, start, end, after) =>
        copy(part, start, target.subarray(after, after + end - start)),
      );
    } else (target as { set(values: CpuArray): void }).set(view(tensor).subarray(from, to));
  };

  return {
    set: (id, location) => void locations.set(id, location),
    delete: (id) => void locations.delete(id),
    view,
    copy,
    address(tensor, from, to) {
      const place = placeOf(locationOf, tensor, from, to);
      return place ? cached.addressOf(place, elementBytes(tensor.dtype)) : -1;
    },
    cache(tensor, from, to, address) {
      const place = placeOf(locationOf, tensor, from, to);
      if (place) cached.cache(place, address, elementBytes(tensor.dtype));
    },
    file(tensor, from, to) {
      const location = locationOf(tensor);
      if (location.kind === 'file') return location.file.name;
      if (location.kind !== 'parts') return null;
      let name: string | null = null;
      forEachPiece(location, from, to, (part) => {
        const own = locationOf(part);
        if (own.kind === 'file') name ??= own.file.name;
      });
      return name;
    },
  };
}

/** Fills `target` with the bytes that begin `skip` bytes after the first of the values. */
function readFile(
  files: WorkerFiles | undefined,
  { descriptor, offset, name }: FileValues,
  skip: number,
  target: CpuArray,
): void {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  const position = offset + skip;
  for (let at = 0; at < bytes.length; ) {
    let read: number;
    try {
      read = (files as WorkerFiles).read(
        descriptor,
        at === 0 ? bytes : bytes.subarray(at),
        position + at,
      );
    } catch (cause) {
      throw badFile(name, `cannot be read: ${(cause as Error).message}`, cause);
    }
    if (read <= 0) {
      throw new LemurError(
        'bad-file',
        `${name}: expected bytes ${position} to ${position + bytes.length}, ` +
          `got its end at ${position + at}: the file is truncated`,
        { where: name },
      );
    }
    at += read;
  }
}
