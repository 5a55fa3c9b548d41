/** Bytes that small arrays share. */
const BLOCK_BYTES = 256 * 1024;

/**
 * Memory that small arrays of one type share: tens of thousands of arrays with memory of their own
 * make the engine's collector stop for long. A block lives as long as any array in it.
 */
export class Arena {
  #block = new ArrayBuffer(0);
  #used = 0;

  /** The values of an array in memory that it shares; the array itself where it is large. */
  keep<A extends Int8Array | Float32Array>(array: A): A {
    const { byteLength, length } = array;
    if (byteLength > BLOCK_BYTES / 8) return array;
    if (this.#used + byteLength > this.#block.byteLength) {
      this.#block = new ArrayBuffer(BLOCK_BYTES);
      this.#used = 0;
    }
    const Type = array.constructor as new (block: ArrayBuffer, from: number, length: number) => A;
    const kept = new Type(this.#block, this.#used, length);
    kept.set(array);
    this.#used += byteLength;
    return kept;
  }
}
