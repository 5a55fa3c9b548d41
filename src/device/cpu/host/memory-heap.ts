import { type KernelMemory, PAGE } from '../../../kernels/memory.js';
import { createHeap, type Heap } from './heap.js';
import type { Pool } from './worker-pool.js';

/** The first page stays unused, so that no tensor has address 0. */
const FIRST_ADDRESS = PAGE;
const LIMIT = 65536 * PAGE;

/** Addresses in the kernels' memory, which grows as needed. */
export class MemoryHeap {
  readonly #heap: Heap = createHeap(FIRST_ADDRESS, LIMIT);
  readonly #pool: Pool;
  readonly #memory: KernelMemory | null;

  /** `memory` is null where a worker has its own, which grows when it hears of `top`. */
  constructor(pool: Pool, memory: KernelMemory | null) {
    this.#pool = pool;
    this.#memory = memory;
  }

  /** Bytes of memory that must exist. */
  get top(): number {
    return this.#heap.top;
  }

  /** An address, of room that ends at `below` at most; -1 where there is none. */
  take(bytes: number, below: number = LIMIT): number {
    const address = this.#heap.allocate(bytes, below);
    if (address < 0 || !this.#memory) return address;
    const missing = this.#heap.top - this.#memory.buffer.byteLength;
    if (missing <= 0) return address;
    try {
      this.#memory.grow(Math.ceil(missing / PAGE));
      return address;
    } catch {
      this.#heap.release(address);
      return -1;
    }
  }

  /** Gives an address back at once. */
  release(address: number): void {
    this.#heap.release(address);
  }

  /** Gives addresses back when the jobs under way, which may still use them, have ended. */
  releaseWhenIdle(addresses: readonly number[]): void {
    const release = (): void => addresses.forEach(this.#heap.release);
    if (this.#pool.busy) void this.#pool.idle().then(release);
    else release();
  }
}
