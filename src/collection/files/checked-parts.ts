import { crc32, crc32Paced } from '../../bytes/crc32.js';
import { readRanges } from '../../bytes/read-ranges.js';
import { stepPacer } from '../../pacer.js';
import { type CheckedFile, damaged } from './checked-file.js';

/** Longer parts are summed in slices. */
const CHECKED_AT_ONCE = 1 << 22;
/**
 * Steps that a document counts as, between two turns of the event loop, and the bytes that count as
 * one.
 */
const STEPS_A_DOCUMENT = 8;
const STEP_BYTES = 1 << 12;

/**
 * A section of a data file that has a part for each document, one after the other, each with a
 * checksum of its own. Parts come in memory of their own, where that of a document begins at a
 * multiple of what all parts' lengths are multiples of. Reading rejects with 'bad-file'.
 */
export class CheckedParts {
  readonly #file: CheckedFile;
  readonly #section: string;
  readonly #begin: (document: number) => number;
  readonly #checks: Int32Array;

  /**
   * `begin` gives the byte of the section where a document's part begins, and of the number behind
   * the last document where all end; `checks` are the CRC-32 of the parts, as int32.
   */
  constructor(
    file: CheckedFile,
    section: string,
    begin: (document: number) => number,
    checks: Int32Array,
  ) {
    this.#file = file;
    this.#section = section;
    this.#begin = begin;
    this.#checks = checks;
  }

  /** The part of one document. */
  async read(document: number): Promise<Uint8Array> {
    const [part] = await this.readEach(document, document + 1);
    return part;
  }

  /** Parts of documents from .. to, in one read. */
  async readEach(from: number, to: number): Promise<Uint8Array[]> {
    const first = this.#begin(from);
    const bytes = await this.#file.range(this.#section, first, this.#begin(to));
    const { buffer } = new Uint8Array(bytes);
    const parts: Uint8Array[] = [];
    const step = stepPacer();
    for (let document = from; document < to; document++) {
      const begin = this.#begin(document);
      const part = new Uint8Array(buffer, begin - first, this.#begin(document + 1) - begin);
      await this.#check(part, document);
      parts.push(part);
      await step(STEPS_A_DOCUMENT + part.length / STEP_BYTES);
    }
    return parts;
  }

  /** Parts of ascending documents, in few reads. Rejects with the signal's reason too. */
  async fetch(documents: Int32Array, signal: AbortSignal | undefined): Promise<Uint8Array[]> {
    const parts = new Array<Uint8Array>(documents.length);
    const first = this.#file.offset(this.#section);
    const ranges = Array.from(documents, (document) => ({
      from: first + this.#begin(document),
      to: first + this.#begin(document + 1),
    }));
    await readRanges(this.#file.stored, ranges, signal, async (bytes, i) => {
      parts[i] = new Uint8Array(bytes);
      await this.#check(parts[i], documents[i]);
    });
    return parts;
  }

  async #check(bytes: Uint8Array, document: number): Promise<void> {
    const actual = (bytes.length > CHECKED_AT_ONCE ? await crc32Paced(bytes) : crc32(bytes)) | 0;
    const expected = this.#checks[document];
    if (actual === expected) return;
    const problem = `checksum ${actual}, expected ${expected}`;
    throw damaged(this.#file.stored, `${this.#section} of document ${document}: ${problem}`);
  }
}
