import { invalidArgument } from '../../errors.js';
import { encodeRecord } from './document-record.js';
import type { Metadata } from './metadata.js';
import { HASH_BYTES } from './mirror-record.js';
import type { StoredDocument } from './stored-document.js';

/**
 * How much goes into one segment. It stands in this room since columns of metadata keep to it too.
 */
export interface SegmentLimits {
  /** Bytes of everything that it stores, one larger document aside. */
  readonly bytes: number;
  readonly documents: number;
  /** Bytes, or entries, of a section whose offsets are int32. */
  readonly section: number;
}

export const SEGMENT_LIMITS: SegmentLimits = {
  bytes: 64 * 1024 * 1024,
  documents: 16_384,
  section: 2 ** 31 - 1,
};

const encoder = new TextEncoder();
/** A document's place in the arrays that have one value for each. */
const ENTRY_BYTES = 24;
/** Of what it mirrors. */
const MIRROR_BYTES = 4 + 2 * HASH_BYTES;
/**
 * A value in a column at most, beside what a string has: its row or those that have none, its kind,
 * a number or a code and its offset.
 */
const VALUE_BYTES = 16;

/**
 * Bytes that a document takes in a segment's file beside its token vectors: id, text, metadata, and
 * this once more in columns.
 */
export async function storedBytes(
  document: Pick<StoredDocument, 'id' | 'text' | 'metadata' | 'passage' | 'mirror'>,
): Promise<number> {
  const { id, metadata, mirror } = document;
  const { length: record } = await encodeRecord(document);
  return (
    ENTRY_BYTES +
    (mirror ? MIRROR_BYTES : 0) +
    encoder.encode(id).length +
    record +
    (metadata === undefined ? 0 : columnBytes(metadata))
  );
}

/** Bytes that a document's text takes in a segment's file of keywords, about: a quarter of it. */
export function keywordBytes({ text = '' }: Pick<StoredDocument, 'text'>): number {
  return Math.ceil(text.length / 4);
}

function columnBytes(value: Metadata | readonly unknown[]): number {
  let bytes = 0;
  for (const item of Object.values(value)) {
    bytes += VALUE_BYTES;
    if (typeof item === 'string') bytes += encoder.encode(item).length;
    else if (typeof item === 'object' && item !== null) bytes += columnBytes(item);
  }
  return bytes;
}

/**
 * Where each of parts of these lengths ends. Raises 'invalid-argument' where that is beyond `most`,
 * before an int32 could wrap.
 */
export function endsOf(lengths: Iterable<number>, most: number, what: string): Int32Array {
  let end = 0;
  const ends = Int32Array.from(lengths, (length) => {
    end += length;
    return Math.min(end, most);
  });
  if (end > most) throw invalidArgument(what, `${end} in one segment, expected at most ${most}`);
  return ends;
}

/**
 * Ends of parts as they are stored, in order: int32 that may have wrapped, as ends beyond 2 GiB did
 * in files that were written before the size of a segment counted texts. undefined where they make
 * no sense: the last is not `length`.
 */
export function storedEnds(
  ends: Int32Array,
  length: number,
): Int32Array | Float64Array | undefined {
  let last = 0;
  let ascending = true;
  for (const end of ends) {
    ascending &&= end >= last;
    last = end;
  }
  if (ascending) return last === length ? ends : undefined;
  let wraps = 0;
  last = 0;
  const whole = Float64Array.from(ends, (end) => {
    let at = (end >>> 0) + wraps * 2 ** 32;
    if (at < last) {
      wraps++;
      at += 2 ** 32;
    }
    last = at;
    return at;
  });
  return last === length ? whole : undefined;
}

/**
 * Things of these sizes in groups that follow one another, each as large as the limits allow,
 * made when it is asked for.
 */
export function* grouped<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  { bytes, documents }: SegmentLimits,
): Generator<T[], void, void> {
  let group: T[] = [];
  let room = bytes;
  for (const item of items) {
    const size = bytesOf(item);
    if (group.length > 0 && (size > room || group.length >= documents)) {
      yield group;
      group = [];
      room = bytes;
    }
    group.push(item);
    room -= size;
  }
  if (group.length > 0) yield group;
}
