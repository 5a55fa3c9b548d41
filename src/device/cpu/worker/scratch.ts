import type { KernelMemory } from '../../../kernels/memory.js';
import { GUARD_BYTES, type ScratchArea } from '../scratch-area.js';

const ALIGNMENT = 64;
/** What guard bytes hold. */
const GUARD = 0xa5;

/** A piece that was taken; its guard begins where it ends. */
interface Piece {
  address: number;
  bytes: number;
  /** With what aligns the next one. */
  size: number;
}

/**
 * Hands out the scratch area of a block piece by piece. Throws when more is asked for than the host
 * has stated; where pieces are guarded, also when something was written behind one of them.
 */
export class Scratch {
  readonly #memory: () => Pick<KernelMemory, 'buffer'>;
  readonly #guarded: boolean;
  readonly #pieces: Piece[] = [];
  #operation = '';
  #limit = 0;
  #used = 0;
  #top = 0;

  constructor(memory: () => Pick<KernelMemory, 'buffer'>, guarded: boolean) {
    this.#memory = memory;
    this.#guarded = guarded;
  }

  /** Begins a block with an area that is all its own. */
  begin(operation: string, { address, bytes }: ScratchArea): void {
    this.#operation = operation;
    this.#limit = bytes;
    this.#used = 0;
    this.#top = address;
    this.#pieces.length = 0;
  }

  /** Ends a block: nothing may have been written behind a piece. */
  end(): void {
    while (this.#pieces.length > 0) this.#check(this.#pieces.pop() as Piece);
  }

  /** Address of `bytes` bytes, content undefined. */
  take(bytes: number): number {
    const size = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    if (this.#used + size > this.#limit) {
      const wanted = this.#used + size;
      throw new Error(`${this.#operation}: ${wanted} bytes of scratch, ${this.#limit} were stated`);
    }
    const address = this.#top;
    this.#used += size;
    this.#top += size;
    if (this.#guarded) this.#guard({ address, bytes, size });
    return address;
  }

  mark(): number {
    return this.#top;
  }

  /** Gives back what was taken since. */
  rewind(mark: number): void {
    if (!this.#guarded) {
      this.#used -= this.#top - mark;
      this.#top = mark;
      return;
    }
    for (let last = this.#pieces.at(-1); last && last.address >= mark; last = this.#pieces.at(-1)) {
      this.#check(last);
      this.#used -= last.size;
      this.#pieces.pop();
    }
    this.#top = mark;
  }

  #guard(piece: Piece): void {
    this.#guardOf(piece).fill(GUARD);
    this.#pieces.push(piece);
    this.#top += GUARD_BYTES;
  }

  #check(piece: Piece): void {
    if (this.#guardOf(piece).every((byte) => byte === GUARD)) return;
    throw new Error(`${this.#operation}: wrote behind ${piece.bytes} bytes of scratch`);
  }

  #guardOf({ address, bytes, size }: Piece): Uint8Array {
    const { buffer } = this.#memory();
    return new Uint8Array(buffer, address + bytes, size - bytes + GUARD_BYTES);
  }
}
