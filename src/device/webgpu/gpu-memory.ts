import { LemurError } from '../../errors.js';
import type { DType, Tensor, TensorMemory, TypedArray, TypedArrayOf } from '../memory.js';
import type { GpuQueue } from './gpu-queue.js';
import type { Scratch } from './scratch.js';
import { copyValues, fillBuffer, readValues, type Span, writeValues } from './transfer.js';

const ARRAYS = { f32: Float32Array, i32: Int32Array, i8: Int8Array };
/** Tensors of more bytes ask whether there is room; smaller ones fail with the device. */
const ASKED_BYTES = 2 ** 20;

/** Where the values of a tensor lie. */
type Place =
  | { kind: 'device'; buffer: GPUBuffer; copy: Int32Array | null }
  | { kind: 'host'; values: TypedArray }
  | { kind: 'parts'; parts: readonly Tensor[]; owned: boolean };

/** Values from .. to of a tensor that lie side by side. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** Where on the device value `from` is in it, at `at`; null: in the host's memory. */
  readonly buffer: GPUBuffer | null;
  readonly values: TypedArray | null;
  /** Of value `from`. */
  readonly at: number;
}

export interface GpuMemoryOptions {
  /** Bytes of a buffer at most; default: what the adapter lets a shader bind. */
  mostBufferBytes?: number | undefined;
  /** Bytes that tensors may take on the device; what is beyond stays in the host's memory. */
  memoryBytes?: number | undefined;
}

/**
 * Tensors in buffers of the device, several where one would be larger than a shader may bind. Those
 * that find no room stay in the host's memory, from which operations take them by tiles.
 */
export class GpuMemory implements TensorMemory {
  readonly readsFiles = false;
  readonly #queue: GpuQueue;
  readonly #mostBytes: number;
  readonly #budget: number;
  readonly #held = new Map<number, { tensor: Tensor; place: Place }>();
  #bytes = 0;
  #nextId = 1;

  constructor(queue: GpuQueue, { mostBufferBytes, memoryBytes }: GpuMemoryOptions = {}) {
    const { maxStorageBufferBindingSize, maxBufferSize } = queue.device.limits;
    const most = Math.min(maxStorageBufferBindingSize, maxBufferSize, mostBufferBytes ?? Infinity);
    this.#queue = queue;
    this.#mostBytes = 256 * Math.floor(most / 256);
    this.#budget = memoryBytes ?? Infinity;
  }

  async upload<D extends DType>(dtype: D, data: TypedArrayOf<D>): Promise<Tensor<D>> {
    const each = Math.floor(this.#mostBytes / data.BYTES_PER_ELEMENT);
    if (data.length > each)
      return this.#inParts(dtype, data.length, each, (from, to) =>
        this.upload(dtype, data.subarray(from, to) as TypedArrayOf<D>),
      );
    const buffer = await this.#room(data.byteLength);
    if (!buffer) return this.#put(dtype, data.length, { kind: 'host', values: data.slice() });
    // offsets and the like are asked for by the host as well
    const copy = data instanceof Int32Array ? data.slice() : null;
    const tensor = this.#put(dtype, data.length, { kind: 'device', buffer, copy });
    await fillBuffer(this.#queue, buffer, data);
    return tensor;
  }

  async allocate<D extends DType>(dtype: D, length: number): Promise<Tensor<D>> {
    const bytes = ARRAYS[dtype].BYTES_PER_ELEMENT;
    const each = Math.floor(this.#mostBytes / bytes);
    if (length > each)
      return this.#inParts(dtype, length, each, (from, to) => this.allocate(dtype, to - from));
    const buffer = await this.#room(length * bytes);
    const copy = dtype === 'i32' ? new Int32Array(length) : null;
    if (buffer) return this.#put(dtype, length, { kind: 'device', buffer, copy });
    return this.#put(dtype, length, { kind: 'host', values: new ARRAYS[dtype](length) });
  }

  async join<D extends DType>(dtype: D, parts: readonly Tensor<D>[]): Promise<Tensor<D>> {
    const wrong = parts.find((part) => part.dtype !== dtype);
    if (wrong) {
      const message = `parts: expected tensors of ${dtype}, got one of ${wrong.dtype}`;
      throw new LemurError('invalid-argument', message, { where: 'parts' });
    }
    for (const part of parts) this.#placeOf(part);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return this.#put(dtype, length, { kind: 'parts', parts: [...parts], owned: false });
  }

  async attach(_dtype: DType, _length: number, { name }: { name: string }): Promise<never> {
    const message = `${name}: this device reads no files`;
    throw new LemurError('unsupported', message, { where: name });
  }

  async read<D extends DType>(
    tensor: Tensor<D>,
    from = 0,
    to: number = tensor.length,
  ): Promise<TypedArrayOf<D>> {
    const end = Math.min(to, tensor.length);
    const start = Math.min(from, end);
    const out = new ARRAYS[tensor.dtype](end - start) as TypedArrayOf<D>;
    for (const piece of this.pieces(tensor, start, end)) {
      const own = out.subarray(piece.from - start, piece.to - start);
      if (piece.values) setValues(own, piece.values.subarray(piece.at, piece.at + own.length));
      else if (piece.buffer)
        await readValues(this.#queue, { buffer: piece.buffer, at: piece.at }, own);
    }
    return out;
  }

  async write<D extends DType>(tensor: Tensor<D>, data: TypedArrayOf<D>, at = 0): Promise<void> {
    const place = this.#placeOf(tensor);
    if (place.kind === 'parts' && !place.owned) {
      const message = 'write: expected a tensor with memory of its own, got one of parts';
      throw new LemurError('invalid-argument', message, { where: 'tensor' });
    }
    if (place.kind === 'device' && place.copy) place.copy.set(data, at);
    for (const piece of this.pieces(tensor, at, at + data.length)) {
      const own = data.subarray(piece.from - at, piece.to - at);
      if (piece.values) setValues(piece.values.subarray(piece.at, piece.at + own.length), own);
      else if (piece.buffer)
        await writeValues(this.#queue, { buffer: piece.buffer, at: piece.at }, own);
    }
  }

  free(...tensors: readonly Tensor[]): void {
    for (const { id } of tensors) {
      const place = this.#held.get(id)?.place;
      this.#held.delete(id);
      if (place?.kind === 'device') {
        this.#bytes -= place.buffer.size;
        this.#queue.destroy(place.buffer);
      }
      if (place?.kind === 'parts' && place.owned) this.free(...place.parts);
    }
  }

  /** Values from .. to (default: all) where they lie, in order. */
  pieces(tensor: Tensor, from = 0, to: number = tensor.length): Piece[] {
    const place = this.#placeOf(tensor);
    if (place.kind === 'device')
      return [{ from, to, buffer: place.buffer, values: null, at: from }];
    if (place.kind === 'host') return [{ from, to, buffer: null, values: place.values, at: from }];
    let start = 0;
    return place.parts.flatMap((part) => {
      const begin = start;
      start += part.length;
      const [first, last] = [Math.max(from, begin), Math.min(to, start)];
      if (last <= first) return [];
      return this.pieces(part, first - begin, last - begin).map((piece) => ({
        ...piece,
        from: piece.from + begin,
        to: piece.to + begin,
      }));
    });
  }

  /** Values from .. to in one buffer: where they lie, or else in scratch. */
  async span(tensor: Tensor, from: number, to: number, scratch: Scratch): Promise<Span> {
    const pieces = this.pieces(tensor, from, to);
    const [first] = pieces;
    if (pieces.length === 1 && first.buffer) return { buffer: first.buffer, at: first.at };
    const bytes = ARRAYS[tensor.dtype].BYTES_PER_ELEMENT;
    if (pieces.every(({ values }) => values)) {
      const data = new ARRAYS[tensor.dtype](4 * Math.ceil((to - from) / 4));
      for (const { values, at, ...own } of pieces)
        if (values) setValues(data, values.subarray(at, at + own.to - own.from), own.from - from);
      const buffer = scratch.take(data.byteLength);
      await fillBuffer(this.#queue, buffer, data);
      return { buffer, at: 0 };
    }
    const buffer = scratch.zeros((to - from) * bytes);
    for (const { buffer: source, values, at, ...own } of pieces) {
      const length = own.to - own.from;
      const part = source
        ? { buffer: source, at }
        : await this.#staged(values, at, length, scratch);
      await copyValues(this.#queue, part, { buffer, at: own.from - from }, length, bytes);
    }
    return { buffer, at: 0 };
  }

  /**
   * Has values from .. to of a tensor computed: where they lie, or else in scratch, from which they
   * are copied.
   */
  async fill(
    tensor: Tensor<'f32'>,
    from: number,
    to: number,
    scratch: Scratch,
    compute: (out: Span) => Promise<void> | void,
  ): Promise<void> {
    const pieces = this.pieces(tensor, from, to);
    const [first] = pieces;
    if (pieces.length === 1 && first.buffer) return compute({ buffer: first.buffer, at: first.at });
    const made = scratch.take((to - from) * 4);
    await compute({ buffer: made, at: 0 });
    await this.put(tensor, from, to, made);
  }

  /**
   * Values from .. to of a tensor from the beginning of a buffer; where they are bytes, of a tensor
   * that has zeros there.
   */
  async put(tensor: Tensor, from: number, to: number, made: GPUBuffer): Promise<void> {
    for (const { buffer, values, at, ...own } of this.pieces(tensor, from, to)) {
      const part = { buffer: made, at: own.from - from };
      const length = own.to - own.from;
      const bytes = ARRAYS[tensor.dtype].BYTES_PER_ELEMENT;
      if (buffer) await copyValues(this.#queue, part, { buffer, at }, length, bytes);
      else if (values) await readValues(this.#queue, part, values.subarray(at, at + length));
    }
  }

  /** The buffer of a small tensor, of which value 0 is the first. */
  async whole(tensor: Tensor, scratch: Scratch): Promise<GPUBuffer> {
    const { buffer, at } = await this.span(tensor, 0, tensor.length, scratch);
    if (at === 0) return buffer;
    throw new LemurError('invalid-argument', 'tensor: expected one of its own', {
      where: 'tensor',
    });
  }

  /** Values that the host has given, without a trip to the device where it kept them. */
  async numbersOf(tensor: Tensor<'i32'>): Promise<Int32Array> {
    const place = this.#placeOf(tensor);
    return (place.kind === 'device' && place.copy) || this.read(tensor);
  }

  /** A tensor that a call made itself is the device's from now on. */
  keep<D extends DType>(dtype: D, length: number, buffer: GPUBuffer): Tensor<D> {
    this.#bytes += buffer.size;
    return this.#put(dtype, length, { kind: 'device', buffer, copy: null });
  }

  async #staged(
    values: TypedArray | null,
    at: number,
    length: number,
    scratch: Scratch,
  ): Promise<Span> {
    const own = (values as TypedArray).subarray(at, at + length);
    const buffer = scratch.take(own.byteLength + 4);
    await fillBuffer(this.#queue, buffer, own);
    return { buffer, at: 0 };
  }

  async #inParts<D extends DType>(
    dtype: D,
    length: number,
    each: number,
    make: (from: number, to: number) => Promise<Tensor<D>>,
  ): Promise<Tensor<D>> {
    const parts: Tensor<D>[] = [];
    try {
      for (let from = 0; from < length; from += each)
        parts.push(await make(from, Math.min(length, from + each)));
    } catch (error) {
      this.free(...parts);
      throw error;
    }
    return this.#put(dtype, length, { kind: 'parts', parts, owned: true });
  }

  #put<D extends DType>(dtype: D, length: number, place: Place): Tensor<D> {
    const tensor: Tensor<D> = { id: this.#nextId++, dtype, length };
    this.#held.set(tensor.id, { tensor, place });
    return tensor;
  }

  #placeOf(tensor: Tensor): Place {
    this.#queue.check();
    const place = this.#held.get(tensor.id)?.place;
    if (place) return place;
    const message = 'the data of this object was freed: it has been closed';
    throw new LemurError('closed', message, { where: 'tensor' });
  }

  /** A buffer of zeros; null: there is no room. */
  async #room(bytes: number): Promise<GPUBuffer | null> {
    if (this.#bytes + bytes > this.#budget) return null;
    const asks = bytes > ASKED_BYTES;
    const made = asks ? await this.#queue.tryBuffer(bytes) : this.#queue.createBuffer(bytes);
    if (made) this.#bytes += made.size;
    return made;
  }
}

function setValues(target: TypedArray, values: TypedArray, at = 0): void {
  (target as Int8Array).set(values, at);
}
