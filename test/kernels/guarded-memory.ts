import { afterEach, beforeEach, expect } from 'vitest';

const GUARD = 0xa5;
const GUARD_BYTES = 64;

export type Views = {
  f32: Float32Array;
  f64: Float64Array;
  i32: Int32Array;
  i16: Int16Array;
  i8: Int8Array;
};

/** A block of values in the kernels' memory. */
export interface Block<D extends keyof Views> {
  readonly address: number;
  readonly values: Views[D];
}

/**
 * Hands out blocks with guard bytes between them, aligned as little as the kernels' interface
 * promises.
 */
export interface GuardedMemory {
  /** `content`, or as many zeros as it says. */
  block<D extends keyof Views>(dtype: D, content: number | ArrayLike<number>): Block<D>;
  /** Fails when a byte outside the blocks has changed. */
  expectGuardsIntact(): void;
  reset(): void;
}

export function guardedMemory(memory: WebAssembly.Memory): GuardedMemory {
  const bytes = new Uint8Array(memory.buffer);
  const guards: number[] = [];
  let top = 0;
  const guard = (): void => {
    bytes.fill(GUARD, top, top + GUARD_BYTES);
    guards.push(top);
    top += GUARD_BYTES;
  };
  return {
    block(dtype, content) {
      const size = { f32: 4, f64: 8, i32: 4, i16: 2, i8: 1 }[dtype];
      const length = typeof content === 'number' ? content : content.length;
      // the next address that is a multiple of the element's size and not of twice that
      top = Math.ceil(top / size) * size;
      if (top % (2 * size) === 0) top += size;
      guard();
      const address = top;
      const make = {
        f32: Float32Array,
        f64: Float64Array,
        i32: Int32Array,
        i16: Int16Array,
        i8: Int8Array,
      }[dtype];
      const values = new make(memory.buffer as ArrayBuffer, address, length) as Views[typeof dtype];
      if (typeof content === 'number') values.fill(0);
      else values.set(content);
      top = address + length * size;
      guard();
      if (top > bytes.length) throw new Error('the test needs a larger memory');
      return { address, values };
    },
    expectGuardsIntact() {
      for (const from of guards)
        expect(bytes.subarray(from, from + GUARD_BYTES).every((byte) => byte === GUARD)).toBe(true);
    },
    reset() {
      guards.length = 0;
      top = 65536;
    },
  };
}

/** Memory that every test of a suite finds empty, and whose guards are looked at after each. */
export function guardEachTest(memory: WebAssembly.Memory): GuardedMemory {
  const guarded = guardedMemory(memory);
  beforeEach(() => guarded.reset());
  afterEach(() => guarded.expectGuardsIntact());
  return guarded;
}
