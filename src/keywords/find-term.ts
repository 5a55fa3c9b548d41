/** Where the postings of a term are, in the section of postings. */
export interface TermPlace {
  /** Texts that have it. */
  readonly texts: number;
  /** Bytes from .. to. */
  readonly from: number;
  readonly to: number;
}

/** The block that has a term if any does, by the first terms of all; -1: none. */
export function blockOf(firsts: readonly string[], term: string): number {
  let [low, high] = [0, firsts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (firsts[middle] <= term) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A term in a block whose postings begin at `start`. */
export function findTerm(
  block: Uint8Array,
  term: Uint8Array,
  start: number,
): TermPlace | undefined {
  const reader = new ByteReader(block);
  let from = start;
  /** Bytes that the term before has in common with the one that is looked for. */
  let same = 0;
  while (reader.at < block.length) {
    const shared = reader.number();
    const own = reader.number();
    if (shared <= same) {
      same = shared;
      while (same < term.length && same < shared + own)
        if (block[reader.at + same - shared] === term[same]) same++;
        else break;
    }
    reader.at += own;
    const texts = reader.number();
    const to = from + reader.number();
    if (same === term.length && shared + own === same) return { texts, from, to };
    from = to;
  }
  return undefined;
}

/** Texts that have a term, ascending, and how often each has it. */
export function decodePostings(bytes: Uint8Array, texts: Int32Array, counts: Int32Array): number {
  const reader = new ByteReader(bytes);
  let length = 0;
  for (let next = 0; reader.at < bytes.length; length++) {
    const coded = reader.number();
    texts[length] = next + Math.floor(coded / 2);
    counts[length] = coded % 2 === 1 ? 1 : reader.number();
    next = texts[length] + 1;
  }
  return length;
}

/** Reads what `ByteWriter` has written. */
class ByteReader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++];
      if (byte < 128) return value + byte * scale;
      value += (byte - 128) * scale;
      if (byte === undefined) return Number.NaN;
    }
  }
}
