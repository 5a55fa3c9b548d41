import { LemurError } from '../../../errors.js';
import { guardBytes, type ScratchArea } from '../scratch-area.js';
import type { MemoryHeap } from './memory-heap.js';

/** Scratch of the workers, one area each, which grow and are used again. */
export class ScratchAreas {
  readonly #heap: MemoryHeap;
  readonly #count: number;
  readonly #guarded: boolean;
  #addresses: number[] = [];
  #bytes = 0;

  constructor(heap: MemoryHeap, count: number, guarded: boolean) {
    this.#heap = heap;
    this.#count = count;
    this.#guarded = guarded;
  }

  /** Areas of so many bytes. Raises 'invalid-argument' where there is no room. */
  of(bytes: number): readonly ScratchArea[] {
    if (bytes > this.#bytes) this.#grow(bytes);
    return this.#addresses.map((address) => ({ address, bytes }));
  }

  #grow(bytes: number): void {
    const grown = Math.max(bytes, 2 * this.#bytes);
    const taken = Array.from({ length: this.#count }, () =>
      this.#heap.take(grown + guardBytes(this.#guarded)),
    );
    if (taken.some((address) => address < 0)) {
      for (const address of taken) if (address >= 0) this.#heap.release(address);
      const mebibytes = Math.ceil(bytes / 2 ** 20);
      const message =
        `${this.#count} workers need ${mebibytes} MiB of scratch each, ` +
        'more than the memory has';
      throw new LemurError('invalid-argument', message, { where: 'memory' });
    }
    this.#heap.releaseWhenIdle(this.#addresses);
    this.#addresses = taken;
    this.#bytes = grown;
  }
}
