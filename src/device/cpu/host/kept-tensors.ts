import type { TensorMaker } from '../../memory.js';
import type { CpuArrayOf, CpuDType, CpuTensor } from '../cpu-tensor.js';
import { elementBytes } from '../typed-view.js';
import type { TensorStore } from './tensor-store.js';

/** What makes tensors of a search; `allocate` leaves in them what was there. */
export type SearchTensors = Pick<TensorMaker, 'allocate' | 'upload'>;

/** A set of more bytes than this is not kept. */
const MOST_BYTES = 1 << 23;
/** Sets that are kept: of so many searches at a time. */
const MOST_SETS = 4;

/**
 * Tensors that one search leaves to the next, which makes as many: workers know them, and nothing
 * is cleared, freed or told.
 */
export class KeptTensors {
  readonly #store: TensorStore;
  readonly #spare: TensorSet[] = [];

  constructor(store: TensorStore) {
    this.#store = store;
  }

  /** What `use` makes is its own until it ends. */
  async use<T>(use: (tensors: SearchTensors) => Promise<T>): Promise<T> {
    const set = this.#spare.pop() ?? new TensorSet(this.#store);
    try {
      const result = await use(set.begin());
      if (set.bytes <= MOST_BYTES && this.#spare.length < MOST_SETS) this.#spare.push(set);
      else set.free();
      return result;
    } catch (error) {
      // workers that were lost may still be writing
      set.free();
      throw error;
    }
  }
}

/** The nth tensor that is asked for is the nth of the time before, where that is large enough. */
class TensorSet implements SearchTensors {
  readonly #store: TensorStore;
  readonly #tensors: CpuTensor[] = [];
  #next = 0;

  constructor(store: TensorStore) {
    this.#store = store;
  }

  get bytes(): number {
    return this.#tensors.reduce((sum, t) => sum + t.length * elementBytes(t.dtype), 0);
  }

  begin(): this {
    this.#next = 0;
    return this;
  }

  async allocate<D extends CpuDType>(dtype: D, length: number): Promise<CpuTensor<D>> {
    const at = this.#next++;
    const kept = this.#tensors[at] as CpuTensor | undefined;
    if (kept?.dtype === dtype && kept.length >= length) return { id: kept.id, dtype, length };
    const made = await this.#store.allocate(dtype, length);
    if (kept) this.#store.free(kept);
    this.#tensors[at] = made;
    return made;
  }

  async upload<D extends CpuDType>(dtype: D, data: CpuArrayOf<D>): Promise<CpuTensor<D>> {
    const tensor = await this.allocate(dtype, data.length);
    await this.#store.write(tensor, data);
    return tensor;
  }

  free(): void {
    this.#store.free(...this.#tensors);
  }
}
