import { stepPacer } from '../../pacer.js';

const encoder = new TextEncoder();
// an id may begin with U+FEFF, which decoders take for a byte order mark
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The ids of a segment: UTF-8 bytes end to end, found by hash. Memory: the bytes, 4 a row, and 8 to
 * 16 a row of the table.
 */
export interface IdTable {
  readonly rows: number;
  id(row: number): string;
  /** The row of an id; -1 where it is not here. */
  find(id: EncodedId): number;
}

/** An id as it is looked for, in any number of tables. */
export interface EncodedId {
  readonly bytes: Uint8Array;
  readonly hash: number;
}

export function encodeId(id: string): EncodedId {
  const bytes = encoder.encode(id);
  return { bytes, hash: hash(bytes, 0, bytes.length) };
}

/**
 * `ends[row]` is where the id of a row ends. Ids are distinct. Gives way to other work every 4,096
 * of them.
 */
export async function createIdTable(bytes: Uint8Array, ends: Int32Array): Promise<IdTable> {
  const step = stepPacer();
  const rows = ends.length;
  const begin = (row: number): number => (row === 0 ? 0 : ends[row - 1]);
  // open addressing; row + 1, 0 is empty
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * rows + 1)));
  const mask = slots.length - 1;
  for (let row = 0; row < rows; row++) {
    let at = hash(bytes, begin(row), ends[row]) & mask;
    while (slots[at] !== 0) at = (at + 1) & mask;
    slots[at] = row + 1;
    const wait = step();
    if (wait) await wait;
  }
  const holds = (row: number, wanted: Uint8Array): boolean => {
    const from = begin(row);
    if (ends[row] - from !== wanted.length) return false;
    for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted[i]) return false;
    return true;
  };
  return {
    rows,
    id: (row) => decoder.decode(bytes.subarray(begin(row), ends[row])),
    find(id) {
      for (let at = id.hash & mask; slots[at] !== 0; at = (at + 1) & mask) {
        if (holds(slots[at] - 1, id.bytes)) return slots[at] - 1;
      }
      return -1;
    },
  };
}

/** FNV-1a, with its high bits mixed into the low ones. */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return h ^ (h >>> 15);
}
