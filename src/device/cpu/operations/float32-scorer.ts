import { packedLanes } from '../../../kernels/kernels.js';
import type { TokenScorer } from './token-scorer.js';

/** Rows that are vectors, by the float32 kernel. */
export const float32Scorer: TokenScorer = {
  packScratch: (lanes, dim) => 4 * packedLanes(lanes) * dim,
  scoreScratch: () => 64,
  pack(context, { dim }, x, lanes) {
    const panels = context.scratch(packedLanes(lanes) * dim * 4);
    context.kernels.packLanesF32(x, lanes, dim, panels);
    return { panels, lanes, scales: 0, shifts: 0 };
  },
  score(context, { dim }, { panels, lanes }, { pieces, counts }, out, stride) {
    const { kernels } = context;
    const best = context.scratch(64);
    let at = 0;
    for (const { address, documents } of pieces) {
      kernels.maxDotsF32(
        panels,
        lanes,
        dim,
        address,
        counts + at,
        documents,
        out + at,
        stride,
        best,
      );
      at += documents * 4;
    }
  },
};
