import { stepPacer } from '../../pacer.js';
import { createIdTable, type EncodedId } from './id-table.js';

/** The sources of a segment's passages, found by hash. */
export interface SourceTable {
  /** The rows [from, to) of a source's passages; undefined: it has none here. */
  find(source: EncodedId): readonly [from: number, to: number] | undefined;
  /** How many have a passage that is not deleted; `deleted`: 1 for those that are. */
  count(deleted: Uint8Array | null | undefined): number;
}

/**
 * Sources by the bytes that they have of their passages' ids, `lengths`; passages of one follow one
 * another. Memory: the bytes of the sources' ids, 8 a source, and 8 to 16 of its table.
 */
export async function createSourceTable(
  ids: Uint8Array,
  idEnds: Int32Array,
  lengths: Int32Array,
): Promise<SourceTable> {
  const step = stepPacer();
  const firsts: number[] = [];
  const ends: number[] = [];
  let bytes = 0;
  /** Where the source's id of the row before is. */
  let before: Uint8Array | undefined;
  const parts: Uint8Array[] = [];
  for (let row = 0; row < lengths.length; row++) {
    const begin = row === 0 ? 0 : idEnds[row - 1];
    const source = ids.subarray(begin, begin + lengths[row]);
    if (!before || !same(before, source)) {
      firsts.push(row);
      parts.push(source);
      bytes += source.length;
      ends.push(bytes);
      before = source;
    }
    const wait = step();
    if (wait) await wait;
  }
  const own = new Uint8Array(bytes);
  for (const [i, part] of parts.entries()) own.set(part, ends[i] - part.length);
  const table = await createIdTable(own, Int32Array.from(ends));
  const starts = Int32Array.from([...firsts, lengths.length]);
  return {
    find(source) {
      const found = table.find(source);
      return found < 0 ? undefined : [starts[found], starts[found + 1]];
    },
    count(deleted) {
      if (!deleted) return firsts.length;
      let count = 0;
      for (let i = 0; i < firsts.length; i++) {
        const live = deleted.indexOf(0, starts[i]);
        if (live >= 0 && live < starts[i + 1]) count++;
      }
      return count;
    },
  };
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
