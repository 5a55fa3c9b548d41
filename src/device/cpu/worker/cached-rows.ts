import type { KernelMemory } from '../../../kernels/memory.js';
import type { CpuTensor } from '../cpu-tensor.js';
import { partOf, type TensorLocation } from '../tensor-location.js';

/** State of a row that a worker is copying; above it as many rows from this one on are there. */
export const CLAIMED = 1;
const MOST_TOGETHER = 255 - CLAIMED;

/** Values `from` to `to` of a location. */
interface Place {
  readonly location: TensorLocation;
  readonly from: number;
  readonly to: number;
}

/** Where values `from` to `to` of a tensor lie; null: not within one part. */
export function placeOf(
  locationOf: (tensor: CpuTensor) => TensorLocation,
  tensor: CpuTensor,
  from: number,
  to: number,
): Place | null {
  const location = locationOf(tensor);
  if (location.kind !== 'parts') return { location, from, to };
  const found = from < to ? partOf(location, from, to) : null;
  return found && { location: locationOf(found.part), from: found.from, to: found.to };
}

/** Rows of files that are cached in the kernels' memory, which may grow. */
export class CachedRows {
  readonly #memory: () => Pick<KernelMemory, 'buffer'>;
  #bytes: Uint8Array<ArrayBufferLike> = new Uint8Array();

  constructor(memory: () => Pick<KernelMemory, 'buffer'>) {
    this.#memory = memory;
  }

  /**
   * Address of values of `bytes` bytes each, rows of files that are cached included; -1 where they
   * do not lie in the kernels' memory.
   */
  addressOf({ location, from, to }: Place, bytes: number): number {
    if (location.kind === 'memory') return location.address + from * bytes;
    if (location.kind !== 'file' || !location.cache || from >= to) return -1;
    const { address, rowLength, states } = location.cache;
    const all = this.#all;
    const end = states + to / rowLength;
    for (let at = states + from / rowLength; at < end; ) {
      const state = Atomics.load(all, at);
      if (state <= CLAIMED) return -1;
      at += state - CLAIMED;
    }
    return address + from * bytes;
  }

  /**
   * Copies whole rows from `source`, where their location has a cache and no worker has copied them
   * or is about to. Others see them only when all of them are there.
   */
  cache({ location, from, to }: Place, source: number, bytes: number): void {
    if (location.kind !== 'file' || !location.cache || from >= to) return;
    const { address, rowLength, states } = location.cache;
    const all = this.#all;
    const [first, end] = [states + from / rowLength, states + to / rowLength];
    if (Atomics.compareExchange(all, first, 0, CLAIMED) !== 0) return;
    all.copyWithin(address + from * bytes, source, source + (to - from) * bytes);
    for (let at = first; at < end; at++)
      Atomics.store(all, at, CLAIMED + Math.min(end - at, MOST_TOGETHER));
  }

  get #all(): Uint8Array {
    const { buffer } = this.#memory();
    if (this.#bytes.buffer !== buffer) this.#bytes = new Uint8Array(buffer);
    return this.#bytes;
  }
}
