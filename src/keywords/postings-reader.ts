import type { Postings } from './build-postings.js';
import { blockOf, findTerm, type TermPlace } from './find-term.js';
import { POSTING_CHUNK } from './posting-chunk.js';

/** Parts of a section by their numbers, ascending, each checked. */
export interface CheckedSection {
  fetch(numbers: Int32Array, signal: AbortSignal | undefined): Promise<Uint8Array[]>;
}

/** A segment's postings, open: lengths and a term of each block are in memory. */
export interface OpenPostings {
  /** Words of each text. */
  readonly lengths: Int32Array;
  /** Whether its terms are folded: those of an earlier version are in lower case alone. */
  readonly isFolded: boolean;
  /** The first term of each block of the dictionary. */
  readonly firsts: readonly string[];
  readonly blocks: CheckedSection;
  /** Where the postings of each block's terms begin. */
  readonly starts: Int32Array;
  readonly chunks: CheckedSection;
}

/** A file of postings, by its sections. */
export interface PostingsFile {
  /** A whole section, checked. */
  read(section: keyof Postings): Promise<Int32Array | Uint8Array>;
  /** Bytes of a section. */
  size(section: keyof Postings): number;
  /** A section of parts: where each begins, and their CRC-32. */
  parts(
    section: keyof Postings,
    begin: (part: number) => number,
    checks: Int32Array,
  ): CheckedSection;
}

/** What words are looked for in; undefined: sections do not match. */
export async function openPostings(file: PostingsFile): Promise<OpenPostings | undefined> {
  const ints = async (section: keyof Postings): Promise<Int32Array> =>
    (await file.read(section)) as Int32Array;
  const [lengths, firstEnds, termEnds] = [
    await ints('lengths'),
    await ints('firstEnds'),
    await ints('termEnds'),
  ];
  const [starts, termChecks, chunkChecks] = [
    await ints('starts'),
    await ints('termChecks'),
    await ints('postingChecks'),
  ];
  const bytes = (await file.read('firsts')) as Uint8Array;
  const [blocks, size] = [firstEnds.length, file.size('postings')];
  const fits =
    [termEnds, starts, termChecks].every(({ length }) => length === blocks) &&
    firstEnds[blocks - 1] === bytes.length &&
    termEnds[blocks - 1] === file.size('terms') &&
    chunkChecks.length === Math.ceil(size / POSTING_CHUNK);
  if (!fits) return undefined;
  const decoder = new TextDecoder();
  const chunk = (number: number): number => Math.min(number * POSTING_CHUNK, size);
  return {
    lengths,
    isFolded: file.size('fold') > 0,
    firsts: Array.from(firstEnds, (end, i) =>
      decoder.decode(bytes.subarray(i === 0 ? 0 : firstEnds[i - 1], end)),
    ),
    blocks: file.parts('terms', (block) => (block === 0 ? 0 : termEnds[block - 1]), termChecks),
    starts,
    chunks: file.parts('postings', chunk, chunkChecks),
  };
}

/** Where the postings of terms are; undefined: no text has it. */
export async function findTerms(
  { firsts, blocks, starts }: OpenPostings,
  terms: readonly string[],
  signal: AbortSignal | undefined,
): Promise<(TermPlace | undefined)[]> {
  const encoder = new TextEncoder();
  const wanted = terms.map((term) => blockOf(firsts, term));
  const read = await fetchParts(blocks, wanted, signal);
  return terms.map((term, i) => {
    const block = read.get(wanted[i]);
    return block && findTerm(block, encoder.encode(term), starts[wanted[i]]);
  });
}

/** The postings at these places. */
export async function readPostings(
  { chunks }: OpenPostings,
  places: readonly TermPlace[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  const first = ({ from }: TermPlace): number => Math.floor(from / POSTING_CHUNK);
  const last = ({ to }: TermPlace): number => Math.floor((to - 1) / POSTING_CHUNK);
  const wanted = places.flatMap((place) =>
    Array.from({ length: last(place) - first(place) + 1 }, (_, i) => first(place) + i),
  );
  const read = await fetchParts(chunks, wanted, signal);
  return places.map((place) => {
    const bytes = new Uint8Array(place.to - place.from);
    for (let chunk = first(place); chunk <= last(place); chunk++) {
      const begin = chunk * POSTING_CHUNK;
      const own = read.get(chunk)!;
      const from = Math.max(place.from, begin);
      bytes.set(own.subarray(from - begin, place.to - begin), from - place.from);
    }
    return bytes;
  });
}

/** Parts by their numbers, each read once; numbers below 0 are none. */
async function fetchParts(
  parts: CheckedSection,
  numbers: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Map<number, Uint8Array>> {
  const wanted = Int32Array.from(new Set(numbers.filter((number) => number >= 0))).sort();
  const read = await parts.fetch(wanted, signal);
  return new Map(read.map((bytes, i) => [wanted[i], bytes]));
}
