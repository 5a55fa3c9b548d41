import type { Kernels } from '../../../kernels/kernels.js';
import { LOOK_LIMIT, type LookKernels, lookLanes } from '../../../kernels/look-kernels.js';
import type { DeviceTokens } from '../../device-tokens.js';
import { laneLimit } from '../../lane-limit.js';
import { type DocumentTile, mostTileTokens } from './document-tiles.js';
import type { Context } from './operation.js';
import type { PackedLanes } from './token-scorer.js';

/**
 * A query in 7 bits: what tells, at half of the cost and less, which documents cannot be among the
 * best, whatever their scores are.
 */
export interface LookLanes {
  readonly panels: number;
  readonly lanes: number;
  /** What a code of each lane is worth. */
  readonly factors: number;
  /** Product of each lane with what documents are stored without. */
  readonly shifts: number;
  /** Of a document whose longest token has norm 1: what rounding may have taken from its score. */
  readonly error: number;
  /** Of such a document: largest sum of its products' sizes, the shifts apart. */
  readonly reach: number;
  /** The sum of the shifts' sizes. */
  readonly shiftReach: number;
}

/** Whether documents have a first look where there are kernels for it. */
export function hasFirstLook({ encoding, dim }: DeviceTokens): boolean {
  return encoding === 'int8' && dim % 16 === 0 && stepOf(dim) > 1;
}

/** Codes of a lane that become one of 7 bits. */
function stepOf(dim: number): number {
  return Math.ceil(laneLimit(dim) / LOOK_LIMIT);
}

/** Bytes of scratch of `packLook`. */
export function packLookScratch(lanes: number, dim: number): number {
  return lookLanes(lanes) * (dim + 8);
}

/** Bytes of scratch of `mayReach` for a tile of at most so many documents. */
export function lookScratch(documents: DeviceTokens, lanes: number, most: number): number {
  return 4 * mostTileTokens(documents) + 4 * most * (lanes + 3) + 64;
}

export function packLook(
  context: Context,
  { dim }: DeviceTokens,
  { lanes, scales, shifts, codes }: PackedLanes,
): LookLanes {
  if (codes === undefined) throw new Error('a first look at lanes without codes');
  const step = stepOf(dim);
  const panels = context.scratch(lookLanes(lanes) * dim);
  const factors = context.scratch(lanes * 4);
  const errors = context.scratch(lanes * 4);
  kernelsOf(context).packLanesU7(codes, lanes, dim, step, panels, errors);
  const [worth, ours] = [context.at('f32', scales, lanes), context.at('f32', factors, lanes)];
  const [left, added] = [context.at('i32', errors, lanes), context.at('f32', shifts, lanes)];
  let [error, reach, shiftReach] = [0, 0, 0];
  for (let x = 0; x < lanes; x++) {
    ours[x] = step * worth[x];
    error += worth[x] * Math.sqrt(left[x]);
    reach += worth[x] * laneLimit(dim) * Math.sqrt(dim);
    shiftReach += Math.abs(added[x]);
  }
  return { panels, lanes, factors, shifts, error, reach, shiftReach };
}

/**
 * Positions of a tile's documents whose scores may be `floor` or more; the others' are certainly
 * less. A lane is its code of 7 bits and a rest, whose product with a token is no larger than that
 * of their norms.
 */
export function mayReach(
  context: Context,
  { dim }: DeviceTokens,
  look: LookLanes,
  tile: DocumentTile,
  floor: number,
): number[] {
  const { lanes, error, reach, shiftReach } = look;
  const { documents } = tile;
  const norms = context.scratch(documents * 4);
  const sums = context.scratch(documents * 4);
  lookAtTile(context, dim, look, tile, norms, sums);
  const [seen, squares] = [context.at('f32', sums, documents), context.at('i32', norms, documents)];
  const scales = context.at('f32', tile.scales, documents);
  // float32 roundings of both sums: some two a lane and of each product, and the least numbers
  const rounding = (2 * lanes + 16) * 2 ** -23;
  const positions: number[] = [];
  for (let d = 0; d < documents; d++) {
    const norm = Math.sqrt(squares[d]) * scales[d];
    const slack = rounding * (norm * reach + shiftReach) + lanes * 2 ** -140;
    // of what is no number nothing is certain
    if (!(seen[d] + norm * error + slack < floor)) positions.push(d);
  }
  return positions;
}

/** Sums of the largest products of 7-bit lanes, and the squares of the largest norms. */
function lookAtTile(
  context: Context,
  dim: number,
  { panels, lanes, factors, shifts }: LookLanes,
  { pieces, documents, tokens, counts, scales }: DocumentTile,
  norms: number,
  sums: number,
): void {
  const kernels = kernelsOf(context);
  const offsets = context.scratch(tokens * 4);
  const products = context.scratch(lanes * documents * 4);
  const best = context.scratch(64);
  let [document, token] = [0, 0];
  for (const piece of pieces) {
    const { address } = piece;
    const [ofPiece, starts] = [counts + document * 4, offsets + token * 4];
    const norm = norms + document * 4;
    kernels.sumTokensI8(address, dim, ofPiece, piece.documents, starts, norm);
    kernels.maxDotsU7(
      panels,
      lanes,
      dim,
      address,
      starts,
      ofPiece,
      piece.documents,
      products + document * 4,
      documents,
      best,
    );
    document += piece.documents;
    token += piece.tokens;
  }
  kernels.dequantise(products, lanes, documents, documents, factors, scales, shifts);
  kernels.sumRows(products, lanes, documents, documents, 0, sums);
}

/** Whether this worker has them. */
export function hasLookKernels(context: Context): boolean {
  return context.kernels.maxDotsU7 !== undefined;
}

function kernelsOf({ kernels }: Context): Kernels & LookKernels {
  return kernels as Kernels & LookKernels;
}
