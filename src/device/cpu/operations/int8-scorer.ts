import { packedLanes } from '../../../kernels/kernels.js';
import { laneLimit } from '../../lane-limit.js';
import type { TokenScorer } from './token-scorer.js';
import { evenUp, widenRows } from './widened-rows.js';

/**
 * Codes with a scale a text, less a mean: lanes become int16 codes with a scale each, products are
 * exact in int32, and the product of the lane with the mean is added behind.
 */
export const int8Scorer: TokenScorer = {
  packScratch: (lanes, dim) => 4 * packedLanes(lanes) * (2 * evenUp(dim) + 2) + 4 * dim,
  scoreScratch: (tokens, dim) => 2 * tokens * evenUp(dim) + 64,
  pack(context, { dim, parameters }, x, lanes) {
    const { kernels } = context;
    const even = evenUp(dim);
    const panels = context.scratch(packedLanes(lanes) * even * 2);
    const scales = context.scratch(lanes * 4);
    const codes = context.scratch(lanes * even * 2);
    kernels.quantizeRowsI16(x, lanes, dim, laneLimit(dim), 0, codes, scales);
    kernels.packLanesI16(codes, lanes, even, panels);
    const shifts = context.scratch(lanes * 4);
    if (!parameters) throw new Error('int8 documents without a mean');
    kernels.scanF32(context.stage(parameters, 0, dim), x, lanes, dim, shifts);
    return { panels, lanes, scales, shifts, codes };
  },
  score(context, { dim }, { panels, lanes, scales, shifts }, tile, out, stride) {
    const { kernels } = context;
    const { pieces, tokens, counts, documents } = tile;
    kernels.maxDotsI16(
      panels,
      lanes,
      evenUp(dim),
      widenRows(context, pieces, tokens, dim),
      counts,
      documents,
      out,
      stride,
      context.scratch(64),
    );
    kernels.dequantise(out, lanes, documents, stride, scales, tile.scales, shifts);
  },
};
