import { LemurError } from '../../errors.js';
import type { DType, Tensor, TypedArray, TypedArrayOf } from '../device.js';
import { createHeap } from './heap.js';
import type { Pool } from './pool.js';
import { elementBytes, typedView } from './worker.js';

const PAGE = 65536;
/** The first page stays unused, so that no tensor has address 0. */
const FIRST_ADDRESS = PAGE;
const LIMIT = 65536 * PAGE;
/** Larger tensors live outside the kernels' memory and are staged by tiles: that memory is 4 GiB at most and never shrinks. */
const RESIDENT_BYTES = 128 * 1024 * 1024;
/** Bytes copied before the event loop gets its turn. */
const COPY_SLICE = 32 * 1024 * 1024;

/** Where tensors live: small ones in the kernels' memory, large ones in buffers of their own. */
export interface TensorStore {
  readonly top: number;
  /** Zeros; in the kernels' memory where they are small, or `preferred` and there is room, or `required`: then it rejects where there is none. */
  allocate<D extends DType>(dtype: D, length: number, resident?: 'preferred' | 'required'): Promise<Tensor<D>>;
  upload<D extends DType>(dtype: D, data: TypedArrayOf<D>): Promise<Tensor<D>>;
  read<D extends DType>(tensor: Tensor<D>, from?: number, to?: number): Promise<TypedArrayOf<D>>;
  write<D extends DType>(tensor: Tensor<D>, data: TypedArrayOf<D>, at?: number): Promise<void>;
  free(...tensors: readonly Tensor[]): void;
  /** Scratch addresses, one a worker, of at least `bytes` each. */
  scratchFor(bytes: number): readonly number[];
}

export function createTensorStore(pool: Pool, memory: WebAssembly.Memory | null): TensorStore {
  const heap = createHeap(FIRST_ADDRESS, LIMIT);
  const places = new Map<number, { address: number; buffer: ArrayBufferLike | null }>();
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

  /** Jobs under way may still use the memory. */
  const releaseWhenIdle = (addresses: readonly number[]): void => {
    const release = (): void => addresses.forEach(heap.release);
    if (pool.busy) void pool.idle().then(release);
    else release();
  };

  /** An unshared buffer goes over to the worker for good; memory in use before is cleared by whoever can see it. */
  const place = <D extends DType>(dtype: D, length: number, address: number, buffer: ArrayBufferLike | null, zero = false): Tensor<D> => {
    const tensor: Tensor<D> = { id: nextId++, dtype, length };
    places.set(tensor.id, { address, buffer: memory ? buffer : null });
    pool.broadcast({ type: 'tensor', tensor, address, buffer, top: heap.top, zero: zero && !memory }, memory || !buffer ? [] : [buffer]);
    if (zero && memory) (local(tensor) as TypedArray).fill(0);
    return tensor;
  };

  const local = <D extends DType>(tensor: Tensor<D>): TypedArrayOf<D> => {
    const found = places.get(tensor.id);
    if (!found) throw new LemurError('closed', 'the data of this object was freed: it has been closed', { where: 'tensor' });
    const buffer = found.buffer ?? (memory as WebAssembly.Memory).buffer;
    return typedView(tensor.dtype, buffer, found.buffer ? 0 : found.address, tensor.length);
  };

  const write = async (tensor: Tensor, data: TypedArray, at: number): Promise<void> => {
    if (!memory) {
      pool.broadcast({ type: 'write', tensor, at, data: data.slice() });
      return;
    }
    const target = local(tensor) as TypedArray;
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
      if (address >= 0) return place(dtype, length, address, null, true);
      return place(dtype, length, 0, memory ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
    },

    async upload(dtype, data) {
      const bytes = data.byteLength + 16;
      const whole = data.byteOffset === 0 && data.buffer.byteLength === data.byteLength;
      const large = bytes > RESIDENT_BYTES;
      if (large && whole && memory && data.buffer instanceof SharedArrayBuffer) return place(dtype, data.length, 0, data.buffer);
      const address = large ? -1 : take(bytes);
      const buffer = address >= 0 ? null : memory ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
      const tensor = place(dtype, data.length, Math.max(address, 0), buffer);
      await write(tensor, data, 0);
      return tensor;
    },

    async read<D extends DType>(tensor: Tensor<D>, from = 0, to: number = tensor.length): Promise<TypedArrayOf<D>> {
      if (memory) {
        const values = local(tensor).subarray(from, to);
        const copy = typedView(tensor.dtype, new ArrayBuffer(values.byteLength), 0, values.length);
        (copy as TypedArray).set(values);
        return copy;
      }
      if (!places.has(tensor.id)) local(tensor);
      return (await pool.request({ type: 'read', request: 0, tensor, from, to })).data as TypedArrayOf<D>;
    },

    write: (tensor, data, at = 0) => write(tensor, data, at),

    free(...tensors) {
      for (const { id } of tensors) {
        const found = places.get(id);
        if (!found) continue;
        places.delete(id);
        pool.broadcast({ type: 'free', id });
        if (!found.buffer) releaseWhenIdle([found.address]);
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
