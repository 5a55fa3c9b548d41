/** Bytes that are written one after the other, into memory that grows. */
export class ByteWriter {
  #bytes = new Uint8Array(1 << 12);
  length = 0;

  /** A number of at least 0: seven bits a byte, the lowest first, and 128 in all but the last. */
  number(value: number): void {
    this.#room(8);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128))
      this.#bytes[this.length++] = (rest % 128) | 128;
    this.#bytes[this.length++] = rest;
  }

  put(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What has been written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  #room(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + more));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }
}

/** Whole numbers that are put one after the other, into memory that grows. */
export class IntWriter {
  values: Int32Array = new Int32Array(1 << 10);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Int32Array(2 * this.length);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = value;
  }

  /** What has been put. */
  ints(): Int32Array {
    return this.values.slice(0, this.length);
  }
}
