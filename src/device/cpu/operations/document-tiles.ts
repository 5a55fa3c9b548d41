import type { DeviceTokens } from '../../device-tokens.js';
import { checkText } from './checksums.js';
import type { Context } from './operation.js';

/**
 * Tokens of a tile of documents: with 128 dimensions 512 KiB, half of a second-level cache. One
 * longer document is a tile of its own.
 */
const TILE_TOKENS = 1024;

/** A run of documents whose tokens lie together in the kernels' memory. */
export interface DocumentTile {
  /** Position of the first document in the list that was asked for. */
  first: number;
  documents: number;
  tokens: number;
  counts: number;
  /** Scales of int8 documents; unused for float32. */
  scales: number;
}

/** Bytes of scratch of the largest tile. */
export function tileScratch(documents: DeviceTokens): number {
  // float32, or int8 and its int16
  return Math.max(TILE_TOKENS, documents.longest) * (documents.dim + 1) * 4 + TILE_TOKENS * 8 + 512;
}

/**
 * Calls `use` for tile after tile of the documents `numbers[from .. to)` (or from .. to
 * themselves). Float32 tokens arrive as they are, int8 tokens widened to int16 rows of even length.
 * Scratch taken for a tile is given back after `use`. Raises 'bad-file' where a document in a file
 * cannot be read or is not what its check was made of.
 */
export function forEachTile(
  context: Context,
  documents: DeviceTokens,
  numbers: Int32Array | null,
  from: number,
  to: number,
  use: (tile: DocumentTile) => void,
): void {
  const { dim } = documents;
  const counts = context.view(documents.counts);
  const offsets = context.view(documents.offsets);
  for (let first = from; first < to; ) {
    const mark = context.mark();
    let last = first;
    let rows = 0;
    while (last < to) {
      const count = counts[numbers ? numbers[last] : last];
      if (last > first && rows + count > TILE_TOKENS) break;
      rows += count;
      last++;
    }
    const tileCounts = context.scratch((last - first) * 4);
    const countsView = context.at('i32', tileCounts, last - first);
    for (let i = first; i < last; i++) countsView[i - first] = counts[numbers ? numbers[i] : i];
    let scales = 0;
    if (documents.scales) {
      scales = context.scratch((last - first) * 4);
      const values = context.view(documents.scales);
      const tileScales = context.at('f32', scales, last - first);
      for (let i = first; i < last; i++) tileScales[i - first] = values[numbers ? numbers[i] : i];
    }
    let tokens = gather(context, documents, numbers, first, last, rows, offsets);
    if (documents.vectors.dtype === 'i8') {
      const wide = context.scratch(rows * (dim + 1) * 2);
      context.kernels.widenI8(tokens, rows, dim, wide);
      tokens = wide;
    }
    use({ first, documents: last - first, tokens, counts: tileCounts, scales });
    context.rewind(mark);
    first = last;
  }
}

/**
 * Address of the vectors of documents `first` to `last`, one after the other; they are held to
 * their checks.
 */
function gather(
  context: Context,
  documents: DeviceTokens,
  numbers: Int32Array | null,
  first: number,
  last: number,
  rows: number,
  offsets: Int32Array,
): number {
  const { dim, vectors, checks } = documents;
  const bytes = vectors.dtype === 'i8' ? 1 : 4;
  const together = !numbers || last - first === 1;
  const start = offsets[numbers ? numbers[first] : first] * dim;
  const address = together
    ? context.stage(vectors, start, start + rows * dim)
    : context.scratch(rows * dim * bytes);
  if (together && !checks) return address;
  let at = address;
  for (let i = first; i < last; i++) {
    const number = numbers ? numbers[i] : i;
    const from = offsets[number] * dim;
    const to = offsets[number + 1] * dim;
    if (!together) context.load(vectors, from, to, at);
    if (checks) checkText(context, vectors, from, to, at, checks, number);
    at += (to - from) * bytes;
  }
  return address;
}
