/** Parts that are joined in one go, and characters. */
const MOST_PARTS = 1024;
const MOST_CHARACTERS = 1 << 16;

/**
 * A long text of many short parts: those are joined in blocks as they come, so that in the end
 * there are few to join. A text that grows by `+=` is put together at its first use, in one go.
 */
export class LongText {
  readonly #blocks: string[] = [];
  #parts: string[] = [];
  #characters = 0;
  #length = 0;

  /** Characters that were put. */
  get length(): number {
    return this.#length;
  }

  put(part: string): void {
    this.#length += part.length;
    this.#parts.push(part);
    this.#characters += part.length;
    if (this.#characters >= MOST_CHARACTERS || this.#parts.length >= MOST_PARTS) this.#close();
  }

  /** All that was put. */
  join(): string {
    this.#close();
    return this.#blocks.join('');
  }

  #close(): void {
    if (this.#parts.length > 0) this.#blocks.push(this.#parts.join(''));
    this.#parts = [];
    this.#characters = 0;
  }
}
