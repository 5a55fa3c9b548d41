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

/** Rows of tokens that lie together in the kernels' memory, as they are stored. */
export interface RowPiece {
  address: number;
  tokens: number;
  documents: number;
}

/** A run of documents whose tokens lie in the kernels' memory. */
export interface DocumentTile {
  /** Position of the first document in the list that was asked for. */
  first: number;
  documents: number;
  /** Tokens of all of them. */
  tokens: number;
  /** Their rows, which follow each other. */
  pieces: readonly RowPiece[];
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
    const pieces = piecesOf(context, documents, numbers, first, last, tokens, offsets);
    use({ first, documents: last - first, tokens, pieces, counts: tileCounts, scales });
    context.rewind(mark);
    first = last;
  }
}

/**
 * The rows of documents `first` to `last`, which are held to their checks. Those in memory are used
 * where they lie: to copy them takes longer than to widen them.
 */
function piecesOf(
  context: Context,
  documents: DeviceTokens,
  numbers: Int32Array | null,
  first: number,
  last: number,
  tokens: number,
  offsets: Int32Array,
): RowPiece[] {
  const { dim, vectors, checks } = documents;
  const width = rowLength({ encoding: encodingOf(documents.encoding), dim });
  const bytes = elementBytes(vectors.dtype);
  if (!numbers) {
    const start = offsets[first] * width;
    const resident = context.address(vectors, start, start + tokens * width);
    if (resident >= 0) return [{ address: resident, tokens, documents: last - first }];
    const address = context.stage(vectors, start, start + tokens * width);
    for (let i = first; checks && i < last; i++) {
      const [from, to] = [offsets[i] * width, offsets[i + 1] * width];
      checkText(context, vectors, from, to, address + (from - start) * bytes, checks, i);
    }
    return [{ address, tokens, documents: last - first }];
  }
  const pieces: RowPiece[] = [];
  let room = -1;
  for (let i = first; i < last; i++) {
    const number = numbers[i];
    const [from, to] = [offsets[number] * width, offsets[number + 1] * width];
    let address = context.address(vectors, from, to);
    if (address < 0) {
      if (room < 0) room = context.scratch(tokens * width * bytes);
      address = room;
      context.load(vectors, from, to, address);
      if (checks) checkText(context, vectors, from, to, address, checks, number);
      room += (to - from) * bytes;
    }
    pieces.push({ address, tokens: offsets[number + 1] - offsets[number], documents: 1 });
  }
  return pieces;
}

/** The documents of a tile at these positions, ascending, as a tile of their own. */
export function keepDocuments(
  context: Context,
  { encoding, dim }: DeviceTokens,
  tile: DocumentTile,
  positions: readonly number[],
): DocumentTile {
  const rowBytes = encodingOf(encoding).rowBytes(dim);
  const kept = positions.length;
  const counts = context.scratch(kept * 4);
  const scales = tile.scales && context.scratch(kept * 4);
  const [from, to] = [
    context.at('i32', tile.counts, tile.documents),
    context.at('i32', counts, kept),
  ];
  if (scales) {
    const all = context.at('f32', tile.scales, tile.documents);
    context.at('f32', scales, kept).set(positions.map((position) => all[position]));
  }
  const pieces: RowPiece[] = [];
  let [tokens, next, document] = [0, 0, 0];
  for (const piece of tile.pieces) {
    let { address } = piece;
    for (const end = document + piece.documents; document < end; document++) {
      if (document === positions[next]) {
        to[next++] = from[document];
        tokens += from[document];
        pieces.push({ address, tokens: from[document], documents: 1 });
      }
      address += from[document] * rowBytes;
    }
  }
  return { first: tile.first, documents: kept, tokens, pieces, counts, scales };
}
