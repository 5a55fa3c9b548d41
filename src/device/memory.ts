/** How a device keeps values. */
export type DType = 'f32' | 'i32' | 'i8';
export type TypedArrayOf<D extends DType> = {
  f32: Float32Array;
  i32: Int32Array;
  i8: Int8Array;
}[D];
export type TypedArray = TypedArrayOf<DType>;

/** A handle to `length` values that live on the device. Plain data: it may be sent to workers. */
export interface Tensor<D extends DType = DType> {
  readonly id: number;
  readonly dtype: D;
  readonly length: number;
}

/** Values in a file that the device can read. */
export interface FileValues {
  /**
   * The system's number of the open file; stays open while the tensor lives and while calls that
   * were given it are under way.
   */
  descriptor: number;
  /** Byte where the values begin (any alignment). */
  offset: number;
  /** The file's name, for errors. */
  name: string;
}

/** How an upload is kept. */
export interface UploadOptions {
  /**
   * For what every query reads, such as prefixes: where the device computes fastest, whatever its
   * size, while there is room; default false.
   */
  resident?: boolean | undefined;
}

/** What makes tensors; those of a scope (`withTensors`) are freed with it. */
export interface TensorMaker {
  /**
   * Copies data to the device; data in shared memory may be used where it lies and must not change
   * while the handle lives.
   */
  upload<D extends DType>(
    dtype: D,
    data: TypedArrayOf<D>,
    options?: UploadOptions,
  ): Promise<Tensor<D>>;
  /** Zeros. */
  allocate<D extends DType>(dtype: D, length: number): Promise<Tensor<D>>;
  /**
   * Tensors end to end as one, without copying. Freeing it frees none of them; they must live as
   * long. No parts: an empty tensor. Only for documents' vectors, prefixes, codes and weights.
   */
  join<D extends DType>(dtype: D, parts: readonly Tensor<D>[]): Promise<Tensor<D>>;
  /**
   * A tensor whose values stay in a file and are read when they are needed; the file must not
   * change. Only for documents' vectors and codes. Raises 'unsupported' where `readsFiles` is
   * false.
   */
  attach<D extends DType>(dtype: D, length: number, file: FileValues): Promise<Tensor<D>>;
}

/**
 * Where tensors live. A call that reads values in a file rejects with 'bad-file' where the file is
 * too short or cannot be read; one that is given a tensor that was freed rejects with 'closed'.
 */
export interface TensorMemory extends TensorMaker {
  /** Whether `attach` works. */
  readonly readsFiles: boolean;
  /** A copy of values `from` to `to`, wherever they lie. */
  read<D extends DType>(tensor: Tensor<D>, from?: number, to?: number): Promise<TypedArrayOf<D>>;
  /** Overwrites values from `at` on; not of a tensor in a file or of parts. */
  write<D extends DType>(tensor: Tensor<D>, data: TypedArrayOf<D>, at?: number): Promise<void>;
  /**
   * From now on rows of a tensor in a file (`rowLength` values each, of which its length is a
   * multiple) stay in memory once they have been read and are what their checksums were made of.
   * Resolves to whether there is room; freeing the tensor gives it back. A device need not have it.
   */
  cacheRows?(tensor: Tensor, rowLength: number): Promise<boolean>;
  /** Gives tensors back; what was freed before is ignored. */
  free(...tensors: readonly Tensor[]): void;
}
