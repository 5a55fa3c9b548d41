import type { KernelMemory } from '../memory.js';

interface Views {
  readonly f64: Float64Array;
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly i16: Int16Array;
  readonly i8: Int8Array;
}

/** Views of a memory as it is now. */
export type MemoryViews = () => Views;

/** Views that are renewed when the memory has grown. */
export function memoryViews(memory: Pick<KernelMemory, 'buffer'>): MemoryViews {
  let { buffer } = memory;
  let views = viewsOf(buffer);
  return () => {
    if (memory.buffer !== buffer) {
      buffer = memory.buffer;
      views = viewsOf(buffer);
    }
    return views;
  };
}

function viewsOf(buffer: ArrayBufferLike): Views {
  return {
    f64: new Float64Array(buffer),
    f32: new Float32Array(buffer),
    i32: new Int32Array(buffer),
    i16: new Int16Array(buffer),
    i8: new Int8Array(buffer),
  };
}
