import { selectLargest } from '../../../kernels/select-largest.js';
import type { DeviceCodes } from '../../device-codes.js';
import type { Tensor } from '../../memory.js';
import type { EncodeRowsArgs } from '../../retriever.js';
import { allowedRows, keepAllowed, reaches } from './allowed-rows.js';
import { gemmScratch } from './forward.js';
import type { Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';
import { queryCodes } from './query-codes.js';

/** Rows of a block that is encoded. */
const ROWS = 64;
/** Bytes of prefixes that stay in the cache while all queries pass. */
const TILE_BYTES = 1 << 17;

/** Largest value of a row that counts as zero. */
const NOTHING = 2 ** -110;
/**
 * Below this length nothing is left of what tells a row from others; it is taken for the mean row.
 */
const LEAST_LENGTH = 1e-5;

/** Prefixes and full codes of document weights, 64 rows a block. */
export const encodeRows: Operation<EncodeRowsArgs & { out: DeviceCodes }> = {
  blocks: ({ out }) => Math.ceil(out.rows / ROWS),
  scratchBytes: ({ out: { dim, prefixDim } }) =>
    SCRATCH_SLACK +
    4 * (gemmScratch(ROWS) + dim * (2 * ROWS + prefixDim + 1) + ROWS * prefixDim) +
    ROWS * (dim + prefixDim),
  run(context, { w, negativeMean, projection, step, lengths, out }, block) {
    const { kernels } = context;
    const { rows, dim, prefixDim } = out;
    const first = block * ROWS;
    const count = Math.min(ROWS, rows - first);
    const centred = context.scratch(count * dim * 4);
    context.load(w, first * dim, (first + count) * dim, centred);
    if (lengths) {
      const relative = context.view(lengths.relative).subarray(first, first + count);
      unstretchRows(
        context.at('f32', centred, count * dim),
        relative,
        context.view(lengths.base),
        context.view(negativeMean),
      );
    }
    kernels.addBias(centred, count, dim, context.stage(negativeMean, 0, dim));

    const projected = context.scratch(count * prefixDim * 4);
    const matrix = context.stage(projection, 0, prefixDim * dim);
    const scratch = context.scratch(gemmScratch(count) * 4);
    kernels.gemmF32(
      count,
      prefixDim,
      dim,
      centred,
      dim,
      1,
      matrix,
      1,
      dim,
      projected,
      prefixDim,
      0,
      scratch,
    );
    const prefix = context.scratch(count * prefixDim);
    kernels.quantizeI8(projected, count * prefixDim, 1 / step, prefix);
    context.view(out.prefix).set(context.at('i8', prefix, count * prefixDim), first * prefixDim);

    const codes = context.scratch(count * dim);
    const scales = context.view(out.scales);
    for (let r = 0; r < count; r++) {
      const row = centred + r * dim * 4;
      const found = kernels.largestAbs(row, dim);
      // 127 / largest must be in float32
      const largest = found > NOTHING ? found : 0;
      kernels.quantizeI8(row, dim, largest > 0 ? 127 / largest : 0, codes + r * dim);
      scales[first + r] = largest / 127;
    }
    context.view(out.full).set(context.at('i8', codes, count * dim), first * dim);
  },
};

/** Rows w in place to base + (w - base) / length. */
function unstretchRows(
  rows: Float32Array,
  lengths: Float32Array,
  base: Float32Array,
  negativeMean: Float32Array,
): void {
  const dim = base.length;
  for (let r = 0; r < lengths.length; r++) {
    const length = lengths[r];
    if (length === 1) continue;
    for (let j = 0, at = r * dim; j < dim; j++, at++)
      rows[at] = length < LEAST_LENGTH ? -negativeMean[j] : base[j] + (rows[at] - base[j]) / length;
  }
}

export interface ScanPrefixArgs {
  documents: DeviceCodes;
  /** Queries x prefix dimension. */
  queries: Tensor<'f32'>;
  count: number;
  k: number;
  allowed: Tensor<'i8'> | null;
  /** With lengths: <mean - base, q> for each query. */
  shifts: Tensor<'f32'> | null;
  /** Rows of a block. */
  blockRows: number;
  /** Which blocks: `from` to `to`. */
  from: number;
  to: number;
  /**
   * Of each query a score that k rows are known to reach, at first -Infinity: each block raises it,
   * and leaves out what is below.
   */
  floors: Tensor<'f32'>;
  /** Rows and scores, blocks x count x k. */
  rows: Tensor<'i32'>;
  scores: Tensor<'f32'>;
}

/**
 * For each query the k allowed rows of one block whose prefixes have the largest products with it,
 * ascending; what is left of a list is -1. Which of the rows below the k best of all are left out
 * depends on the order of the blocks.
 */
export const scanPrefix: Operation<ScanPrefixArgs> = {
  blocks: ({ from, to }) => to - from,
  scratchBytes: ({ documents: { prefixDim }, count, blockRows }) =>
    SCRATCH_SLACK +
    count * (4 * blockRows + 6 * prefixDim + 8) +
    TILE_BYTES +
    prefixDim +
    16 * blockRows,
  run(context, args, number) {
    const block = args.from + number;
    const { documents, queries, count, k, allowed, shifts, blockRows, rows, scores } = args;
    const { prefix, prefixDim } = documents;
    const first = block * blockRows;
    const used = Math.min(blockRows, documents.rows - first);
    const positions = allowedRows(context, allowed, first, used);
    const { codes, bytes, scales } = queryCodes(context, queries, 0, count, prefixDim);
    const products = context.scratch(count * blockRows * 4);
    const tileRows = Math.max(1, Math.floor(TILE_BYTES / prefixDim));
    for (let tile = 0; tile < used; tile += tileRows) {
      const height = Math.min(tileRows, used - tile);
      if (!reaches(positions, tile, tile + height)) continue;
      const mark = context.mark();
      const address = context.stage(
        prefix,
        (first + tile) * prefixDim,
        (first + tile + height) * prefixDim,
      );
      for (let i = 0; i < count; i++)
        context.kernels.scanI8(
          codes + i * bytes,
          address,
          height,
          prefixDim,
          products + (i * blockRows + tile) * 4,
        );
      context.rewind(mark);
    }
    const outRows = context.view(rows);
    const outScores = context.view(scores);
    const floors = context.view(args.floors);
    const moved = context.at('f32', context.scratch(4 * used), used);
    const kept = context.at('f32', context.scratch(4 * used), used);
    const places = context.at('i32', context.scratch(4 * used), used);
    const { lengths } = documents;
    for (let i = 0; i < count; i++) {
      const at = (block * count + i) * k;
      const all = context.at('f32', products + i * blockRows * 4, used);
      if (lengths && shifts) {
        const worth = context.at('f32', scales, count)[i] * lengths.step;
        stretchScores(all, worth, context.view(shifts)[i], context.view(lengths.relative), first);
      }
      const values = keepAllowed(all, positions);
      const reaching = valuesFrom(floors[i], values, kept, places);
      const end = at + selectLargest(kept, reaching, k, moved, outRows, at);
      let least = Infinity;
      for (let j = at; j < end; j++) {
        const place = places[outRows[j]];
        outScores[j] = values[place];
        if (values[place] < least) least = values[place];
        outRows[j] = first + (positions ? positions[place] : place);
      }
      // a lower one that another worker writes meanwhile is true as well
      if (end === at + k && least > floors[i]) floors[i] = least;
      outRows.fill(-1, end, at + k);
    }
  },
};

/** Copies the values of at least `floor` and their places, in order; returns how many they are. */
function valuesFrom(
  floor: number,
  values: Float32Array,
  kept: Float32Array,
  places: Int32Array,
): number {
  let n = 0;
  for (let j = 0; j < values.length; j++) {
    if (values[j] < floor) continue;
    kept[n] = values[j];
    places[n++] = j;
  }
  return n;
}

/** Products of rows from `first` on become estimates of <w - base, q>. */
function stretchScores(
  products: Float32Array,
  worth: number,
  shift: number,
  lengths: Float32Array,
  first: number,
): void {
  for (let i = 0; i < products.length; i++)
    products[i] = lengths[first + i] * (products[i] * worth + shift);
}
