import { badFile, type LemurError, unsupported } from '../../errors.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The bytes of a pickle, read on and on: numbers, texts and lines. Beyond the end everything raises
 * `bad-file`.
 */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  #at = 0;

  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
  }

  /** Bytes read. */
  get at(): number {
    return this.#at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  /** The one number that is big-endian. */
  float64(): number {
    return this.#view.getFloat64(this.#skip(8));
  }

  /** A length, and as many bytes of little-endian two's complement. */
  long(): number {
    const length = this.uint8();
    if (length > 8) throw this.unsupported(`an integer of ${length} bytes`);
    const from = this.#skip(length);
    let value = 0n;
    for (let i = 0; i < length; i++) value |= BigInt(this.#bytes[from + i]) << BigInt(8 * i);
    const number = Number(BigInt.asIntN(8 * length, value));
    if (!Number.isSafeInteger(number)) throw this.unsupported(`the integer ${number}`);
    return number;
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > 200) throw this.badFile('a name that does not end');
    const line = this.text(end - this.#at);
    this.#skip(1);
    return line;
  }

  text(length: number): string {
    const from = this.#skip(length);
    try {
      return decoder.decode(this.#bytes.subarray(from, from + length));
    } catch (cause) {
      throw this.badFile('text that is not UTF-8', cause);
    }
  }

  badFile(problem: string, cause?: unknown): LemurError {
    const where = this.#where;
    return badFile(where, `not a valid pickle: ${problem}`, cause);
  }

  unsupported(problem: string): LemurError {
    return unsupported(this.#where, `a pickle that is not read here: ${problem}`);
  }

  /** Moves on and gives where it was. */
  #skip(length: number): number {
    const from = this.#at;
    if (from + length > this.#bytes.length) throw this.badFile('it is cut off');
    this.#at = from + length;
    return from;
  }
}
