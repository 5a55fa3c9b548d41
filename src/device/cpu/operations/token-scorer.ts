import type { DeviceTokens } from '../../device-tokens.js';
import type { DocumentTile } from './document-tiles.js';
import type { Context } from './operation.js';

/** Vectors of queries as a scorer takes them. */
export interface PackedLanes {
  readonly panels: number;
  readonly lanes: number;
  /** What a code of each lane is worth; 0 for lanes in float32. */
  readonly scales: number;
  /** Product of each lane with what documents are stored without; 0: nothing is. */
  readonly shifts: number;
  /** Rows of codes that the panels were made of, of encodings that may get a first look. */
  readonly codes?: number;
}

/** How the largest inner products with documents of one encoding are computed. */
export interface TokenScorer {
  /** Most bytes of scratch of `pack` for so many lanes. */
  packScratch(lanes: number, dim: number): number;
  /** Most bytes of scratch of `score` for a tile of so many tokens. */
  scoreScratch(tokens: number, dim: number): number;
  /** Packs `lanes` float32 rows at address `x`. */
  pack(context: Context, documents: DeviceTokens, x: number, lanes: number): PackedLanes;
  /**
   * out[lane * stride + i] = largest inner product of each lane with document i of the tile; `out`
   * is an address. No result depends on the other lanes or documents.
   */
  score(
    context: Context,
    documents: DeviceTokens,
    packed: PackedLanes,
    tile: DocumentTile,
    out: number,
    stride: number,
  ): void;
}
