import { LemurError } from '../../../errors.js';
import type { KernelMemory } from '../../../kernels/memory.js';
import type { FileValues, UploadOptions } from '../../memory.js';
import type { CpuArray, CpuArrayOf, CpuDType, CpuTensor } from '../cpu-tensor.js';
import { forEachPiece, joined, type TensorLocation } from '../tensor-location.js';
import { elementBytes, typedView } from '../typed-view.js';
import { createHeap } from './heap.js';
import type { Pool } from './worker-pool.js';

const PAGE = 65536;
/** The first page stays unused, so that no tensor has address 0. */
const FIRST_ADDRESS = PAGE;
const LIMIT = 65536 * PAGE;
/**
 * Larger tensors live outside the kernels' memory and are staged by tiles: that memory is 4 GiB at
 * most and never shrinks.
 */
const RESIDENT_BYTES = 128 * 1024 * 1024;
/**
 * Bytes copied before the event loop gets its turn, and bytes of a file that are asked for at once.
 */
const COPY_SLICE = 32 * 1024 * 1024;

/**
 * Where tensors live: small ones in the kernels' memory, large ones in buffers of their own, some
 * in files, some in others.
 */
export interface TensorStore {
  readonly top: number;
  /**
   * Zeros; in the kernels' memory where they are small, or `preferred` and there is room, or
   * `required`: then it rejects where there is none.
   */
  allocate<D extends CpuDType>(
    dtype: D,
    length: number,
    resident?: 'preferred' | 'required',
  ): Promise<CpuTensor<D>>;
  upload<D extends CpuDType>(
    dtype: D,
    data: CpuArrayOf<D>,
    options?: UploadOptions,
  ): Promise<CpuTensor<D>>;
  attach<D extends CpuDType>(dtype: D, length: number, file: FileValues): Promise<CpuTensor<D>>;
  join<D extends CpuDType>(dtype: D, parts: readonly CpuTensor<D>[]): Promise<CpuTensor<D>>;
  read<D extends CpuDType>(
    tensor: CpuTensor<D>,
    from?: number,
    to?: number,
  ): Promise<CpuArrayOf<D>>;
  write<D extends CpuDType>(tensor: CpuTensor<D>, data: CpuArrayOf<D>, at?: number): Promise<void>;
  /** Whether some of the values lie in a file. */
  inFiles(tensor: CpuTensor): boolean;
  free(...tensors: readonly CpuTensor[]): void;
  /** Scratch addresses, one a worker, of at least `bytes` each. */
  scratchFor(bytes: number): readonly number[];
}

export function createTensorStore(pool: Pool, memory: KernelMemory | null): TensorStore {
  const heap = createHeap(FIRST_ADDRESS, LIMIT);
  const locations = new Map<number, { tensor: CpuTensor; location: TensorLocation }>();
  let nextId = 1;
  let scratch: number[] = [];
  let scratchBytes = 0;

  /** Address in the kernels' memory, grown as needed; -1 when full. */
  const take = (bytes: number): number => {
    const address = heap.allocate(bytes);
    if (address < 0 || !memory) return address;
    const missing = heap.top - memory.buffer.byteLength;
    if (missing <= 0) return address;
    try {
      memory.grow(Math.ceil(missing / PAGE));
      return address;
    } catch {
      heap.release(address);
      return -1;
    }
  };

  /** A buffer outside the kernels' memory. */
  const newBuffer = (bytes: number): ArrayBuffer | SharedArrayBuffer => {
    try {
      return memory ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
    } catch (cause) {
      const message = `there is no room for ${Math.ceil(bytes / 2 ** 20)} MiB of values`;
      throw new LemurError('invalid-argument', message, { where: 'memory' }, { cause });
    }
  };

  /** Jobs under way may still use the memory. */
  const releaseWhenIdle = (addresses: readonly number[]): void => {
    const release = (): void => addresses.forEach(heap.release);
    if (pool.busy) void pool.idle().then(release);
    else release();
  };

  /**
   * An unshared buffer goes over to the worker for good; memory in use before is cleared by whoever
   * can see it.
   */
  const put = <D extends CpuDType>(
    dtype: D,
    length: number,
    location: TensorLocation,
    zero = false,
  ): CpuTensor<D> => {
    const tensor: CpuTensor<D> = { id: nextId++, dtype, length };
    locations.set(tensor.id, { tensor, location });
    const given = location.kind === 'buffer' && !memory ? [location.buffer] : [];
    pool.broadcast(
      { type: 'tensor', tensor, location, top: heap.top, zero: zero && !memory },
      given,
    );
    if (zero && memory) (local(tensor) as CpuArray).fill(0);
    return tensor;
  };

  pool.onRestart(function* () {
    for (const { tensor, location } of locations.values())
      yield { type: 'tensor', tensor, location, top: heap.top, zero: false };
  });

  const locationOf = (tensor: CpuTensor): TensorLocation => {
    const found = locations.get(tensor.id)?.location;
    if (!found)
      throw new LemurError('closed', 'the data of this object was freed: it has been closed', {
        where: 'tensor',
      });
    return found;
  };

  const inFiles = (tensor: CpuTensor): boolean => {
    const location = locationOf(tensor);
    return location.kind === 'file' || (location.kind === 'parts' && location.parts.some(inFiles));
  };

  /** Shared memory only: the values of a tensor that is in memory and has no parts. */
  const local = <D extends CpuDType>(tensor: CpuTensor<D>): CpuArrayOf<D> => {
    const location = locationOf(tensor);
    if (location.kind === 'buffer')
      return typedView(tensor.dtype, location.buffer, 0, tensor.length);
    const { address } = location as Extract<TensorLocation, { kind: 'memory' }>;
    return typedView(tensor.dtype, (memory as KernelMemory).buffer, address, tensor.length);
  };

  /** Values `from` to `to`, which exist. */
  const read = async (tensor: CpuTensor, from: number, to: number): Promise<CpuArray> => {
    const location = locationOf(tensor);
    const size = elementBytes(tensor.dtype);
    const copyOf = (): CpuArray =>
      typedView(tensor.dtype, new ArrayBuffer((to - from) * size), 0, to - from);
    const request = async (start: number, end: number): Promise<CpuArray> =>
      (await pool.request({ type: 'read', request: 0, tensor, from: start, to: end })).data;
    if (location.kind === 'parts') {
      const pieces: [CpuTensor, number, number, number][] = [];
      forEachPiece(location, from, to, (...piece) => pieces.push(piece));
      const copy = copyOf();
      for (const [part, start, end, after] of pieces) copy.set(await read(part, start, end), after);
      return copy;
    }
    if (location.kind === 'file') {
      const slice = COPY_SLICE / size;
      if (to - from <= slice) return request(from, to);
      const copy = copyOf();
      for (let at = from; at < to; at += slice)
        copy.set(await request(at, Math.min(to, at + slice)), at - from);
      return copy;
    }
    if (!memory) return request(from, to);
    const copy = copyOf();
    copy.set(local(tensor).subarray(from, to));
    return copy;
  };

  const write = async (tensor: CpuTensor, data: CpuArray, at: number): Promise<void> => {
    const { kind } = locationOf(tensor);
    if (kind === 'file' || kind === 'parts') {
      const got = kind === 'file' ? 'one whose values lie in a file' : 'one of parts';
      throw new LemurError(
        'invalid-argument',
        `write: expected a tensor with memory of its own, got ${got}`,
        { where: 'tensor' },
      );
    }
    if (!memory) {
      pool.broadcast({ type: 'write', tensor, at, data: data.slice() });
      return;
    }
    const target = local(tensor) as CpuArray;
    const slice = Math.floor(COPY_SLICE / data.BYTES_PER_ELEMENT);
    for (let from = 0; from < data.length; from += slice) {
      if (from > 0) await new Promise<void>((resolve) => void setTimeout(resolve, 0));
      target.set(data.subarray(from, from + slice), at + from);
    }
  };

  return {
    get top() {
      return heap.top;
    },

    async allocate(dtype, length, resident) {
      const bytes = length * elementBytes(dtype) + 16;
      const address = resident || bytes <= RESIDENT_BYTES ? take(bytes) : -1;
      if (address < 0 && resident === 'required') {
        throw new LemurError(
          'invalid-argument',
          `${Math.ceil(bytes / 2 ** 20)} MiB of training state do not fit into the kernels' memory (4 GiB)`,
          {
            where: 'memory',
          },
        );
      }
      if (address >= 0) return put(dtype, length, { kind: 'memory', address }, true);
      return put(dtype, length, { kind: 'buffer', buffer: newBuffer(bytes) });
    },

    async upload(dtype, data, { resident = false } = {}) {
      const bytes = data.byteLength + 16;
      const whole = data.byteOffset === 0 && data.buffer.byteLength === data.byteLength;
      const large = bytes > RESIDENT_BYTES;
      const address = large && !resident ? -1 : take(bytes);
      if (address < 0 && large && whole && memory && data.buffer instanceof SharedArrayBuffer) {
        return put(dtype, data.length, { kind: 'buffer', buffer: data.buffer });
      }
      const own = (): TensorLocation => ({ kind: 'buffer', buffer: newBuffer(bytes) });
      const tensor = put(dtype, data.length, address >= 0 ? { kind: 'memory', address } : own());
      await write(tensor, data, 0);
      return tensor;
    },

    async attach(dtype, length, file) {
      const { descriptor, offset, name } = file;
      for (const [where, value] of Object.entries({ length, descriptor, offset })) {
        if (Number.isSafeInteger(value) && value >= 0) continue;
        throw new LemurError(
          'invalid-argument',
          `${where}: expected an integer from 0 on, got ${value}`,
          { where },
        );
      }
      return put(dtype, length, { kind: 'file', file: { descriptor, offset, name } });
    },

    async join(dtype, parts) {
      const flat: CpuTensor[] = [];
      for (const part of parts) {
        if (part.dtype !== dtype) {
          throw new LemurError(
            'invalid-argument',
            `parts: expected tensors of ${dtype}, got one of ${part.dtype}`,
            { where: 'parts' },
          );
        }
        const location = locationOf(part);
        if (part.length > 0) flat.push(...(location.kind === 'parts' ? location.parts : [part]));
      }
      const location = joined(flat);
      return put(dtype, location.starts[flat.length], location);
    },

    async read<D extends CpuDType>(
      tensor: CpuTensor<D>,
      from = 0,
      to: number = tensor.length,
    ): Promise<CpuArrayOf<D>> {
      const end = Math.min(to, tensor.length);
      return (await read(tensor, Math.min(from, end), end)) as CpuArrayOf<D>;
    },

    write: (tensor, data, at = 0) => write(tensor, data, at),

    inFiles,

    free(...tensors) {
      for (const { id } of tensors) {
        const location = locations.get(id)?.location;
        if (!location) continue;
        locations.delete(id);
        pool.broadcast({ type: 'free', id });
        if (location.kind === 'memory') releaseWhenIdle([location.address]);
      }
    },

    scratchFor(bytes) {
      if (bytes <= scratchBytes) return scratch;
      const old = scratch;
      const oldBytes = scratchBytes;
      scratchBytes = Math.max(bytes, 2 * scratchBytes);
      scratch = Array.from({ length: pool.threads }, () => take(scratchBytes));
      if (scratch.some((address) => address < 0)) {
        for (const address of scratch) if (address >= 0) heap.release(address);
        scratch = old;
        scratchBytes = oldBytes;
        throw new LemurError(
          'invalid-argument',
          `${pool.threads} workers need ${Math.ceil(bytes / 2 ** 20)} MiB of scratch each, more than the memory has`,
          {
            where: 'memory',
          },
        );
      }
      releaseWhenIdle(old);
      return scratch;
    },
  };
}
