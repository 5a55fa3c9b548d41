const ALIGNMENT = 64;

/**
 * Hands out addresses of a linear memory: first fit over a list of free ranges, sorted and merged.
 * Knows nothing of the bytes.
 */
export interface Heap {
  /** Address of `bytes` bytes that end before `below`, or -1 when there is no such room. */
  allocate(bytes: number, below?: number): number;
  release(address: number): void;
  /** Bytes that the memory must have for all that was handed out so far; never shrinks. */
  readonly top: number;
}

export function createHeap(start: number, limit: number): Heap {
  const free: { from: number; to: number }[] = [{ from: start, to: limit }];
  const sizes = new Map<number, number>();
  let top = start;
  return {
    get top() {
      return top;
    },
    allocate(bytes, below = limit) {
      const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
      const slot = free.findIndex((range) => Math.min(range.to, below) - range.from >= size);
      if (slot < 0) return -1;
      const range = free[slot];
      const address = range.from;
      range.from += size;
      if (range.from === range.to) free.splice(slot, 1);
      sizes.set(address, size);
      top = Math.max(top, address + size);
      return address;
    },
    release(address) {
      const size = sizes.get(address);
      if (size === undefined) return;
      sizes.delete(address);
      let slot = free.findIndex((range) => range.from > address);
      if (slot < 0) slot = free.length;
      free.splice(slot, 0, { from: address, to: address + size });
      if (slot + 1 < free.length && free[slot].to === free[slot + 1].from) {
        free[slot].to = free[slot + 1].to;
        free.splice(slot + 1, 1);
      }
      if (slot > 0 && free[slot - 1].to === free[slot].from) {
        free[slot - 1].to = free[slot].to;
        free.splice(slot, 1);
      }
    },
  };
}
