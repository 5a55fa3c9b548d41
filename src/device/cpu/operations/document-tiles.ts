import { rowLength } from '../../../tokens/encoding.js';
import { encodingOf } from '../../../tokens/encodings.js';
import type { DeviceTokens } from '../../device-tokens.js';
import { elementBytes } from '../typed-view.js';
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
  /** Tokens of all of them. */
  tokens: number;
  /** Address of their rows as they are stored. */
  rows: number;
  /** Address of each document's number of tokens, int32. */
  counts: number;
  /** Address of each document's scale, float32; 0 where the encoding has none. */
  scales: number;
}

/** Tokens of the largest tile. */
export function mostTileTokens({ longest }: DeviceTokens): number {
  return Math.max(TILE_TOKENS, longest);
}

/** Bytes of scratch of the largest tile. */
export function tileScratch(documents: DeviceTokens): number {
  const rows = mostTileTokens(documents) * encodingOf(documents.encoding).rowBytes(documents.dim);
  return rows + TILE_TOKENS * 8 + 512;
}

/**
 * Calls `use` for tile after tile of the documents `numbers[from .. to)` (or from .. to
 * themselves). Scratch taken for a tile is given back after `use`. Raises 'bad-file' where a
 * document in a file cannot be read or is not what its check was made of.
 */
export function forEachTile(
  context: Context,
  documents: DeviceTokens,
  numbers: Int32Array | null,
  from: number,
  to: number,
  use: (tile: DocumentTile) => void,
): void {
  const counts = context.view(documents.counts);
  const offsets = context.view(documents.offsets);
  for (let first = from; first < to; ) {
    const mark = context.mark();
    let last = first;
    let tokens = 0;
    while (last < to) {
      const count = counts[numbers ? numbers[last] : last];
      if (last > first && tokens + count > TILE_TOKENS) break;
      tokens += count;
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
    const rows = gather(context, documents, numbers, first, last, tokens, offsets);
    use({ first, documents: last - first, tokens, rows, counts: tileCounts, scales });
    context.rewind(mark);
    first = last;
  }
}

/**
 * Address of the rows of documents `first` to `last`, one after the other; they are held to
 * their checks.
 */
function gather(
  context: Context,
  documents: DeviceTokens,
  numbers: Int32Array | null,
  first: number,
  last: number,
  tokens: number,
  offsets: Int32Array,
): number {
  const { dim, vectors, checks } = documents;
  const width = rowLength({ encoding: encodingOf(documents.encoding), dim });
  const bytes = elementBytes(vectors.dtype);
  const together = !numbers || last - first === 1;
  const start = offsets[numbers ? numbers[first] : first] * width;
  const address = together
    ? context.stage(vectors, start, start + tokens * width)
    : context.scratch(tokens * width * bytes);
  if (together && !checks) return address;
  let at = address;
  for (let i = first; i < last; i++) {
    const number = numbers ? numbers[i] : i;
    const from = offsets[number] * width;
    const to = offsets[number + 1] * width;
    if (!together) context.load(vectors, from, to, at);
    if (checks) checkText(context, vectors, from, to, at, checks, number);
    at += (to - from) * bytes;
  }
  return address;
}
