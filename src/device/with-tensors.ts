import type {
  DType,
  FileValues,
  Tensor,
  TensorMaker,
  TensorMemory,
  TypedArrayOf,
  UploadOptions,
} from './memory.js';

/** What makes and frees tensors. */
type TensorOwner = TensorMaker & Pick<TensorMemory, 'free'>;

/** What keeps something on a device until it is closed. */
interface Closable {
  close(): void;
}

/** Makes tensors that are freed together; `own` adds what was made elsewhere. */
export class TensorScope implements TensorMaker {
  readonly #device: TensorOwner;
  readonly #tensors: Tensor[] = [];
  readonly #others: Closable[] = [];
  #freed = false;

  constructor(device: TensorOwner) {
    this.#device = device;
  }

  upload<D extends DType>(
    dtype: D,
    data: TypedArrayOf<D>,
    options?: UploadOptions,
  ): Promise<Tensor<D>> {
    return this.#made(this.#device.upload(dtype, data, options));
  }

  allocate<D extends DType>(dtype: D, length: number): Promise<Tensor<D>> {
    return this.#made(this.#device.allocate(dtype, length));
  }

  join<D extends DType>(dtype: D, parts: readonly Tensor<D>[]): Promise<Tensor<D>> {
    return this.#made(this.#device.join(dtype, parts));
  }

  attach<D extends DType>(dtype: D, length: number, file: FileValues): Promise<Tensor<D>> {
    return this.#made(this.#device.attach(dtype, length, file));
  }

  /** Takes over a tensor, or what is closed instead. */
  own<T extends Tensor | Closable>(made: T): T {
    this.ownAll([made]);
    return made;
  }

  ownAll(made: readonly (Tensor | Closable)[]): void {
    for (const one of made) {
      if ('close' in one) this.#others.push(one);
      else this.#tensors.push(one);
    }
    if (this.#freed) this.free();
  }

  /** Frees all of it, and what is still being made when that is done. */
  free(): void {
    this.#freed = true;
    this.#device.free(...this.#tensors.splice(0));
    for (const other of this.#others.splice(0)) other.close();
  }

  async #made<T extends Tensor>(tensor: Promise<T>): Promise<T> {
    return this.own(await tensor);
  }
}

/** What is made in the scope is freed when `use` ends or fails. */
export async function withTensors<T>(
  device: TensorOwner,
  use: (scope: TensorScope) => Promise<T>,
): Promise<T> {
  const scope = new TensorScope(device);
  try {
    return await use(scope);
  } finally {
    scope.free();
  }
}

/** What is made in the scope lives on, and is freed only when `build` fails. */
export async function buildTensors<T>(
  device: TensorOwner,
  build: (scope: TensorScope) => Promise<T>,
): Promise<T> {
  const scope = new TensorScope(device);
  try {
    return await build(scope);
  } catch (error) {
    scope.free();
    throw error;
  }
}
