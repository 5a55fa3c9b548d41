import type { RowPiece } from './document-tiles.js';
import type { Context } from './operation.js';

/** Dimensions of a widened row: kernels multiply int16 in pairs. */
export const evenUp = (dim: number): number => dim + (dim & 1);

/** Address of a tile's int8 rows as int16, tokens x evenUp(dim). */
export function widenRows(
  context: Context,
  pieces: readonly RowPiece[],
  tokens: number,
  dim: number,
): number {
  const rowBytes = evenUp(dim) * 2;
  const wide = context.scratch(tokens * rowBytes);
  let end = wide;
  for (const piece of pieces) {
    context.kernels.widenI8(piece.address, piece.tokens, dim, end);
    end += piece.tokens * rowBytes;
  }
  return wide;
}
