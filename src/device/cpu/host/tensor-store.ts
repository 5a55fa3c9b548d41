import { LemurError } from '../../../errors.js';
import type { KernelMemory } from '../../../kernels/memory.js';
import type { FileValues, UploadOptions } from '../../memory.js';
import type { CpuArray, CpuArrayOf, CpuDType, CpuTensor } from '../cpu-tensor.js';
import {
  forEachPiece,
  type JoinedLocation,
  joined,
  type TensorLocation,
} from '../tensor-location.js';
import { elementBytes, typedView } from '../typed-view.js';
import type { MemoryHeap } from './memory-heap.js';
import type { Pool } from './worker-pool.js';

/**
 * Larger tensors live outside the kernels' memory and are staged by tiles: that memory is 4 GiB at
 * most and never shrinks.
 */
const RESIDENT_BYTES = 128 * 1024 * 1024;
/**
 * Bytes copied before the event loop gets its turn, and bytes of a file that are asked for at once.
 */
const COPY_SLICE = 32 * 1024 * 1024;
/** Bytes behind a tensor that kernels may read along. */
const READ_ALONG = 16;
/** Where the kernels' memory has no room for rows of files any more: the rest is for computing. */
const CACHE_LIMIT = 2 ** 31;

/**
 * Where tensors live: small ones in the kernels' memory, large ones in buffers of their own, some
 * in files, some in others.
 */
export class TensorStore {
  readonly #pool: Pool;
  readonly #heap: MemoryHeap;
  /** Shared with the workers; null: a single worker has its own. */
  readonly #memory: KernelMemory | null;
  readonly #held = new Map<number, { tensor: CpuTensor; location: TensorLocation }>();
  #nextId = 1;

  constructor(pool: Pool, heap: MemoryHeap, memory: KernelMemory | null) {
    this.#pool = pool;
    this.#heap = heap;
    this.#memory = memory;
    pool.onRestart(() =>
      Array.from(this.#held.values(), ({ tensor, location }) => {
        return { type: 'tensor', tensor, location, top: heap.top, zero: false };
      }),
    );
  }

  /**
   * Zeros; in the kernels' memory where they are small, or `preferred` and there is room, or
   * `required`: then it rejects where there is none.
   */
  async allocate<D extends CpuDType>(
    dtype: D,
    length: number,
    resident?: 'preferred' | 'required',
  ): Promise<CpuTensor<D>> {
    const bytes = length * elementBytes(dtype) + READ_ALONG;
    const address = resident || bytes <= RESIDENT_BYTES ? this.#heap.take(bytes) : -1;
    if (address >= 0) return this.#put(dtype, length, { kind: 'memory', address }, true);
    if (resident === 'required') {
      const message =
        `${mebibytes(bytes)} MiB of training state do not fit into the kernels' ` +
        'memory (4 GiB)';
      throw new LemurError('invalid-argument', message, { where: 'memory' });
    }
    return this.#put(dtype, length, this.#ownBuffer(bytes));
  }

  async upload<D extends CpuDType>(
    dtype: D,
    data: CpuArrayOf<D>,
    { resident = false }: UploadOptions = {},
  ): Promise<CpuTensor<D>> {
    const bytes = data.byteLength + READ_ALONG;
    const large = bytes > RESIDENT_BYTES;
    const address = large && !resident ? -1 : this.#heap.take(bytes);
    if (address < 0 && large && this.#memory && fillsShared(data))
      return this.#put(dtype, data.length, { kind: 'buffer', buffer: data.buffer });
    const location: TensorLocation =
      address >= 0 ? { kind: 'memory', address } : this.#ownBuffer(bytes);
    const tensor = this.#put(dtype, data.length, location);
    await this.write(tensor, data);
    return tensor;
  }

  async attach<D extends CpuDType>(
    dtype: D,
    length: number,
    file: FileValues,
  ): Promise<CpuTensor<D>> {
    const { descriptor, offset, name } = file;
    for (const [where, value] of Object.entries({ length, descriptor, offset })) {
      if (Number.isSafeInteger(value) && value >= 0) continue;
      const message = `${where}: expected an integer from 0 on, got ${value}`;
      throw new LemurError('invalid-argument', message, { where });
    }
    return this.#put(dtype, length, { kind: 'file', file: { descriptor, offset, name } });
  }

  async cacheRows(tensor: CpuTensor, rowLength: number): Promise<boolean> {
    const location = this.#locationOf(tensor);
    if (location.kind !== 'file' || !this.#memory) return false;
    if (location.cache) return true;
    const rows = tensor.length / rowLength;
    const bytes = tensor.length * elementBytes(tensor.dtype) + READ_ALONG;
    const address = this.#heap.take(bytes, CACHE_LIMIT);
    const states = address < 0 ? -1 : this.#heap.take(rows, CACHE_LIMIT);
    if (states < 0) {
      if (address >= 0) this.#heap.release(address);
      return false;
    }
    new Uint8Array(this.#memory.buffer, states, rows).fill(0);
    const cached: TensorLocation = { ...location, cache: { address, rowLength, states } };
    this.#held.set(tensor.id, { tensor, location: cached });
    const { top } = this.#heap;
    this.#pool.broadcast({ type: 'tensor', tensor, location: cached, top, zero: false });
    return true;
  }

  async join<D extends CpuDType>(dtype: D, parts: readonly CpuTensor<D>[]): Promise<CpuTensor<D>> {
    const flat: CpuTensor[] = [];
    for (const part of parts) {
      if (part.dtype !== dtype) {
        const message = `parts: expected tensors of ${dtype}, got one of ${part.dtype}`;
        throw new LemurError('invalid-argument', message, { where: 'parts' });
      }
      const location = this.#locationOf(part);
      if (part.length > 0) flat.push(...(location.kind === 'parts' ? location.parts : [part]));
    }
    const location = joined(flat);
    return this.#put(dtype, location.starts[flat.length], location);
  }

  /** A copy of values `from` to `to`, those that there are. */
  async read<D extends CpuDType>(
    tensor: CpuTensor<D>,
    from = 0,
    to: number = tensor.length,
  ): Promise<CpuArrayOf<D>> {
    const end = Math.min(to, tensor.length);
    return (await this.#read(tensor, Math.min(from, end), end)) as CpuArrayOf<D>;
  }

  async write<D extends CpuDType>(
    tensor: CpuTensor<D>,
    data: CpuArrayOf<D>,
    at = 0,
  ): Promise<void> {
    this.#checkWritable(tensor);
    if (!this.#memory) {
      this.#pool.broadcast({ type: 'write', tensor, at, data: data.slice() });
      return;
    }
    const target = this.#local(tensor) as CpuArray;
    const slice = Math.floor(COPY_SLICE / data.BYTES_PER_ELEMENT);
    for (let from = 0; from < data.length; from += slice) {
      if (from > 0) await new Promise<void>((resolve) => void setTimeout(resolve, 0));
      target.set(data.subarray(from, from + slice), at + from);
    }
  }

  free(...tensors: readonly CpuTensor[]): void {
    for (const { id } of tensors) {
      const location = this.#held.get(id)?.location;
      if (!location) continue;
      this.#held.delete(id);
      this.#pool.broadcast({ type: 'free', id });
      if (location.kind === 'memory') this.#heap.releaseWhenIdle([location.address]);
      if (location.kind === 'file' && location.cache)
        this.#heap.releaseWhenIdle([location.cache.address, location.cache.states]);
    }
  }

  /**
   * An unshared buffer goes over to the worker for good; memory in use before is cleared by whoever
   * can see it.
   */
  #put<D extends CpuDType>(
    dtype: D,
    length: number,
    location: TensorLocation,
    zero = false,
  ): CpuTensor<D> {
    const tensor: CpuTensor<D> = { id: this.#nextId++, dtype, length };
    this.#held.set(tensor.id, { tensor, location });
    const given = location.kind === 'buffer' && !this.#memory ? [location.buffer] : [];
    const theirs = zero && !this.#memory;
    const { top } = this.#heap;
    this.#pool.broadcast({ type: 'tensor', tensor, location, top, zero: theirs }, given);
    if (zero && !theirs) (this.#local(tensor) as CpuArray).fill(0);
    return tensor;
  }

  /** A buffer outside the kernels' memory. */
  #ownBuffer(bytes: number): TensorLocation {
    try {
      const buffer = this.#memory ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
      return { kind: 'buffer', buffer };
    } catch (cause) {
      const message = `there is no room for ${mebibytes(bytes)} MiB of values`;
      throw new LemurError('invalid-argument', message, { where: 'memory' }, { cause });
    }
  }

  #locationOf(tensor: CpuTensor): TensorLocation {
    const found = this.#held.get(tensor.id)?.location;
    if (found) return found;
    const message = 'the data of this object was freed: it has been closed';
    throw new LemurError('closed', message, { where: 'tensor' });
  }

  #checkWritable(tensor: CpuTensor): void {
    const { kind } = this.#locationOf(tensor);
    if (kind !== 'file' && kind !== 'parts') return;
    const got = kind === 'file' ? 'one whose values lie in a file' : 'one of parts';
    const message = `write: expected a tensor with memory of its own, got ${got}`;
    throw new LemurError('invalid-argument', message, { where: 'tensor' });
  }

  /** Shared memory only: the values of a tensor that is in memory and has no parts. */
  #local<D extends CpuDType>(tensor: CpuTensor<D>): CpuArrayOf<D> {
    const location = this.#locationOf(tensor);
    if (location.kind === 'buffer')
      return typedView(tensor.dtype, location.buffer, 0, tensor.length);
    const { address } = location as Extract<TensorLocation, { kind: 'memory' }>;
    return typedView(tensor.dtype, (this.#memory as KernelMemory).buffer, address, tensor.length);
  }

  /** Values `from` to `to`, which exist. */
  #read(tensor: CpuTensor, from: number, to: number): Promise<CpuArray> {
    const location = this.#locationOf(tensor);
    if (location.kind === 'parts') return this.#readParts(tensor, location, from, to);
    if (location.kind === 'file') return this.#readFile(tensor, from, to);
    if (!this.#memory) return this.#request(tensor, from, to);
    const copy = newArray(tensor.dtype, to - from);
    copy.set(this.#local(tensor).subarray(from, to));
    return Promise.resolve(copy);
  }

  async #readParts(
    tensor: CpuTensor,
    location: JoinedLocation,
    from: number,
    to: number,
  ): Promise<CpuArray> {
    const pieces: [CpuTensor, number, number, number][] = [];
    forEachPiece(location, from, to, (...piece) => pieces.push(piece));
    const copy = newArray(tensor.dtype, to - from);
    for (const [part, start, end, after] of pieces)
      copy.set(await this.#read(part, start, end), after);
    return copy;
  }

  async #readFile(tensor: CpuTensor, from: number, to: number): Promise<CpuArray> {
    const slice = COPY_SLICE / elementBytes(tensor.dtype);
    if (to - from <= slice) return this.#request(tensor, from, to);
    const copy = newArray(tensor.dtype, to - from);
    for (let at = from; at < to; at += slice)
      copy.set(await this.#request(tensor, at, Math.min(to, at + slice)), at - from);
    return copy;
  }

  /** Asks a worker. */
  async #request(tensor: CpuTensor, from: number, to: number): Promise<CpuArray> {
    return (await this.#pool.request({ type: 'read', request: 0, tensor, from, to })).data;
  }
}

/** Whether the values are all of a shared buffer. */
function fillsShared(data: CpuArray): boolean {
  const whole = data.byteOffset === 0 && data.buffer.byteLength === data.byteLength;
  return whole && data.buffer instanceof SharedArrayBuffer;
}

function newArray(dtype: CpuDType, length: number): CpuArray {
  return typedView(dtype, new ArrayBuffer(length * elementBytes(dtype)), 0, length);
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
