import type { Piece } from './gpu-memory.js';

/** Bytes of a tile of values in the host's memory. */
const TILE_BYTES = 32 * 2 ** 20;

/** Rows first .. last, which lie side by side in one place, or one row that does not. */
export interface RowRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Rows of a tensor of pieces by where they lie; row i has values startOf(i) to startOf(i + 1). Of
 * rows in the host's memory only those that are `wanted` (ascending), where it is said.
 */
export function rangesOf(
  pieces: readonly Piece[],
  rows: number,
  startOf: (row: number) => number,
  wanted?: Int32Array | undefined,
): RowRange[] {
  const ranges: RowRange[] = [];
  let row = 0;
  for (const piece of pieces) {
    while (row < rows && startOf(row + 1) <= piece.to) {
      const most = piece.values ? TILE_BYTES / piece.values.BYTES_PER_ELEMENT : Infinity;
      const reach = Math.min(piece.to, startOf(row) + most);
      const last = Math.max(row + 1, lastRow(startOf, row, rows, reach));
      if (piece.values && wanted) ranges.push(...runsOf(wanted, row, last));
      else ranges.push({ first: row, last });
      row = last;
    }
    // a row that goes on in the next piece
    if (row < rows && startOf(row) < piece.to) {
      ranges.push({ first: row, last: row + 1 });
      row++;
    }
  }
  return ranges;
}

/** Whether all lies on the device. */
export function isOnDevice(pieces: readonly Piece[]): boolean {
  return pieces.every(({ buffer }) => buffer !== null);
}

/** Numbers without those below 0, each once, ascending. */
export function ascending(numbers: Int32Array): Int32Array {
  const sorted = numbers.filter((number) => number >= 0).sort();
  return sorted.filter((number, i) => i === 0 || number !== sorted[i - 1]);
}

/** The largest row with startOf(row) <= reach. */
function lastRow(
  startOf: (row: number) => number,
  first: number,
  rows: number,
  reach: number,
): number {
  let [low, high] = [first, rows];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (startOf(middle) <= reach) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Wanted rows from .. to, those side by side together. */
function runsOf(wanted: Int32Array, from: number, to: number): RowRange[] {
  const runs: { first: number; last: number }[] = [];
  for (const row of wanted) {
    if (row < from || row >= to) continue;
    const run = runs.at(-1);
    if (run?.last === row) run.last++;
    else runs.push({ first: row, last: row + 1 });
  }
  return runs;
}
