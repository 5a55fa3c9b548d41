import type { DType, Tensor, TensorMemory, TypedArrayOf } from '../../dist/device/memory.js';
import { LemurError } from '../../dist/errors.js';

const ARRAYS = { f32: Float32Array, i32: Int32Array, i8: Int8Array };

/** Tensors as arrays of this thread. */
export class PlainMemory implements TensorMemory {
  readonly readsFiles = false;
  readonly #values = new Map<number, TypedArrayOf<DType>>();
  #next = 1;

  /** The values themselves. */
  values<D extends DType>(tensor: Tensor<D>): TypedArrayOf<D> {
    const values = this.#values.get(tensor.id);
    if (values) return values as TypedArrayOf<D>;
    throw new LemurError('closed', 'this tensor was freed', { where: 'tensor' });
  }

  async upload<D extends DType>(dtype: D, data: TypedArrayOf<D>): Promise<Tensor<D>> {
    return this.#keep(dtype, data.slice() as TypedArrayOf<D>);
  }

  async allocate<D extends DType>(dtype: D, length: number): Promise<Tensor<D>> {
    return this.#keep(dtype, new ARRAYS[dtype](length) as TypedArrayOf<D>);
  }

  async join<D extends DType>(dtype: D, parts: readonly Tensor<D>[]): Promise<Tensor<D>> {
    const joined = parts.flatMap((part) => [...this.values(part)]);
    return this.#keep(dtype, ARRAYS[dtype].from(joined) as TypedArrayOf<D>);
  }

  attach(): Promise<never> {
    const error = new LemurError('unsupported', 'no files are read here', { where: 'attach' });
    return Promise.reject(error);
  }

  async read<D extends DType>(
    tensor: Tensor<D>,
    from?: number,
    to?: number,
  ): Promise<TypedArrayOf<D>> {
    return this.values(tensor).slice(from, to) as TypedArrayOf<D>;
  }

  async write<D extends DType>(tensor: Tensor<D>, data: TypedArrayOf<D>, at = 0): Promise<void> {
    (this.values(tensor) as Float32Array).set(data as Float32Array, at);
  }

  free(...tensors: readonly Tensor[]): void {
    for (const { id } of tensors) this.#values.delete(id);
  }

  #keep<D extends DType>(dtype: D, values: TypedArrayOf<D>): Tensor<D> {
    const tensor: Tensor<D> = { id: this.#next++, dtype, length: values.length };
    this.#values.set(tensor.id, values);
    return tensor;
  }
}
