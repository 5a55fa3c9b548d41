import { crc32 } from '../bytes/crc32.js';
import { sortPaced } from '../sort-paced.js';
import { ByteWriter, IntWriter } from './byte-writer.js';
import { POSTING_CHUNK } from './posting-chunk.js';
import { wordsOf } from './words.js';

/** Code units of a text whose words are counted: as many as a document has at most. */
export const MOST_TEXT: number = 1 << 23;
/** Bytes of a block of the dictionary, the last term aside. */
const BLOCK_BYTES = 1 << 11;
/** Words that count as a step between two turns of the event loop; a text is some steps more. */
const WORDS_A_STEP = 2;
const STEPS_A_TEXT = 2;
/** Tables that share the terms: one holds 2^24 of them. */
const TABLES = 8;

type Step = (steps?: number) => Promise<void> | undefined;

/**
 * Which words are in which texts, as bytes: terms in the order of their UTF-16 code units, in
 * blocks, and for each the texts that have it. docs/collection/keywords.md has it byte by byte.
 */
export interface Postings {
  /** Words of each text. */
  readonly lengths: Int32Array;
  /** One number, which says how terms are folded: 1. Files of an earlier version have none. */
  readonly fold: Int32Array;
  /** The first term of each block in UTF-8, end to end, and where each ends. */
  readonly firsts: Uint8Array;
  readonly firstEnds: Int32Array;
  /** Blocks of the dictionary, where each ends, and their CRC-32. */
  readonly terms: Uint8Array;
  readonly termEnds: Int32Array;
  readonly termChecks: Int32Array;
  /** Where the postings of each block's terms begin. */
  readonly starts: Int32Array;
  readonly postings: Uint8Array;
  /** CRC-32 of each 4,096 bytes of the postings. */
  readonly postingChecks: Int32Array;
}

/** Makes the postings of texts; memory is 8 bytes for each word of each text, and the terms. */
export class PostingsBuilder {
  readonly #step: Step;
  readonly #ids: Map<string, number>[] = Array.from({ length: TABLES }, () => new Map());
  /** Of each term: its last posting, and how many it has. */
  readonly #last = new IntWriter();
  readonly #texts = new IntWriter();
  /** Of each posting, text after text: its term, and how often that comes. */
  readonly #terms = new IntWriter();
  readonly #counts = new IntWriter();
  /** Of each text: its first posting, and its words. */
  readonly #begins = new IntWriter();
  readonly #lengths = new IntWriter();
  #words = 0;

  constructor(step: Step) {
    this.#step = step;
  }

  /** Words of all texts so far. */
  get words(): number {
    return this.#words;
  }

  /** The next text; undefined: there is none. */
  async add(text: string | undefined): Promise<void> {
    const begin = this.#terms.length;
    this.#begins.push(begin);
    let length = 0;
    for (const { term } of wordsOf((text ?? '').slice(0, MOST_TEXT), 'document')) {
      const id = this.#idOf(term);
      const last = this.#last.values[id];
      if (last >= begin) this.#counts.values[last]++;
      else {
        this.#last.values[id] = this.#terms.length;
        this.#texts.values[id]++;
        this.#terms.push(id);
        this.#counts.push(1);
      }
      if (++length % WORDS_A_STEP !== 0) continue;
      const wait = this.#step();
      if (wait) await wait;
    }
    this.#lengths.push(length);
    this.#words += length;
    // texts of a word or none count too
    const wait = this.#step(STEPS_A_TEXT);
    if (wait) await wait;
  }

  #idOf(term: string): number {
    const ids = this.#ids[term.charCodeAt(0) % TABLES];
    const found = ids.get(term);
    if (found !== undefined) return found;
    const id = this.#last.length;
    ids.set(term, id);
    this.#last.push(-1);
    this.#texts.push(0);
    return id;
  }

  async finish(): Promise<Postings> {
    const { ends, texts, counts } = await this.#byTerm();
    const step = this.#step;
    const encoder = new TextEncoder();
    const [firsts, terms, postings] = [new ByteWriter(), new ByteWriter(), new ByteWriter()];
    const [firstEnds, termEnds, starts] = [new IntWriter(), new IntWriter(), new IntWriter()];
    let before: Uint8Array = new Uint8Array(0);
    let block = 0;
    for (const term of await sortPaced(this.#allTerms(), step)) {
      const bytes = encoder.encode(term);
      if (terms.length === block) {
        before = new Uint8Array(0);
        firsts.put(bytes);
        firstEnds.push(firsts.length);
        starts.push(postings.length);
      }
      const id = this.#idOf(term);
      const [from, to, begin] = [id === 0 ? 0 : ends[id - 1], ends[id], postings.length];
      for (let at = from, next = 0; at < to; next = texts[at++] + 1) {
        writePosting(postings, texts[at] - next, counts[at]);
        if ((at & 63) !== 0) continue;
        const wait = step(4);
        if (wait) await wait;
      }
      const shared = sharedBytes(before, bytes);
      terms.number(shared);
      terms.number(bytes.length - shared);
      terms.put(bytes.subarray(shared));
      terms.number(to - from);
      terms.number(postings.length - begin);
      before = bytes;
      if (terms.length >= block + BLOCK_BYTES) {
        block = terms.length;
        termEnds.push(block);
      }
      const wait = step();
      if (wait) await wait;
    }
    if (terms.length > block) termEnds.push(terms.length);
    const own = { terms: terms.bytes(), postings: postings.bytes() };
    return {
      lengths: this.#lengths.ints(),
      fold: Int32Array.of(1),
      firsts: firsts.bytes(),
      firstEnds: firstEnds.ints(),
      terms: own.terms,
      termEnds: termEnds.ints(),
      termChecks: await checksOf(own.terms, termEnds.ints(), step),
      starts: starts.ints(),
      postings: own.postings,
      postingChecks: await checksOf(own.postings, chunkEnds(own.postings.length), step),
    };
  }

  *#allTerms(): Generator<string, void, undefined> {
    for (const ids of this.#ids) yield* ids.keys();
  }

  /** Postings in the order of the terms' numbers: texts and counts, and where each term's end. */
  async #byTerm(): Promise<Record<'ends' | 'texts' | 'counts', Int32Array>> {
    const total = this.#terms.length;
    const [ids, all] = [this.#terms.values, this.#counts.values];
    // where each begins, and in the end where each ends
    const ends = new Int32Array(this.#last.length);
    for (let id = 1; id < ends.length; id++) {
      ends[id] = ends[id - 1] + this.#texts.values[id - 1];
      const wait = id % 16 === 0 && this.#step();
      if (wait) await wait;
    }
    const [texts, counts] = [new Int32Array(total), new Int32Array(total)];
    for (let text = 0, at = 0; text < this.#begins.length; text++) {
      const end = text + 1 < this.#begins.length ? this.#begins.values[text + 1] : total;
      for (; at < end; at++) {
        const place = ends[ids[at]]++;
        texts[place] = text;
        counts[place] = all[at];
      }
      const wait = this.#step(1 + (end - this.#begins.values[text]) / 16);
      if (wait) await wait;
    }
    return { ends, texts, counts };
  }
}

/** Twice the distance to the text before, one more for a word that comes once; else its count. */
function writePosting(out: ByteWriter, distance: number, count: number): void {
  out.number(2 * distance + (count === 1 ? 1 : 0));
  if (count > 1) out.number(count);
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
  return shared;
}

/** Where each chunk of so many bytes of postings ends. */
function chunkEnds(bytes: number): Int32Array {
  const chunks = Math.ceil(bytes / POSTING_CHUNK);
  return Int32Array.from({ length: chunks }, (_, i) => Math.min(bytes, (i + 1) * POSTING_CHUNK));
}

/** CRC-32 of each part, as signed numbers. */
async function checksOf(bytes: Uint8Array, ends: Int32Array, step: Step): Promise<Int32Array> {
  const sums = new Int32Array(ends.length);
  for (let i = 0, from = 0; i < sums.length; from = ends[i++]) {
    sums[i] = crc32(bytes.subarray(from, ends[i]));
    const wait = step();
    if (wait) await wait;
  }
  return sums;
}
