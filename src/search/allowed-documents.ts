/** The documents that a search may answer with. */
export interface AllowedDocuments {
  /** How many documents there are: numbers are below it. */
  readonly documents: number;
  /** How many of them are allowed. */
  readonly count: number;
  /** Whether a document, by its id or its number, is there and allowed. */
  has(document: string | number): boolean;
  /** The number of a document by its id; -1: it is not there, or not allowed. */
  find(id: string): number;
  /** Their numbers, ascending. Not to be changed. */
  rows(): Int32Array;
  /** A byte for each document, 0: left out. A copy; null: all are allowed. */
  mask(): Uint8Array | null;
}

/**
 * The documents that a mask (a byte for each, 0: left out) allows; without one all. `find` gives
 * the number of an id, -1 where there is none.
 */
export function allowedDocuments(
  documents: number,
  mask: Uint8Array | null,
  find: (id: string) => number = () => -1,
): AllowedDocuments {
  const isAllowed = (number: number): boolean =>
    Number.isInteger(number) && number >= 0 && number < documents && mask?.[number] !== 0;
  let rows: Int32Array | undefined;
  return {
    documents,
    count: mask ? countOf(mask) : documents,
    has: (document) => isAllowed(typeof document === 'string' ? find(document) : document),
    find(id) {
      const number = find(id);
      return isAllowed(number) ? number : -1;
    },
    rows() {
      rows ??= mask ? rowsOfMask(mask) : allRows(documents);
      return rows;
    },
    mask: () => (mask ? mask.slice() : null),
  };
}

/** Numbers of the documents that a mask allows, ascending. */
export function rowsOfMask(mask: Uint8Array): Int32Array {
  const rows = new Int32Array(countOf(mask));
  let at = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] !== 0) rows[at++] = row;
  return rows;
}

function allRows(count: number): Int32Array {
  const rows = new Int32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}

function countOf(mask: Uint8Array): number {
  let count = 0;
  for (const byte of mask) if (byte !== 0) count++;
  return count;
}
