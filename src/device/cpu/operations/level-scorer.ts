import { packedLanes } from '../../../kernels/kernels.js';
import { type CodeBits, codeBytes, LEVELS, paddedDim } from '../../../tokens/level-rows.js';
import { ROTATION_ROUNDS } from '../../../tokens/rotation.js';
import { laneLimit } from '../../lane-limit.js';
import type { RowPiece } from './document-tiles.js';
import type { Context } from './operation.js';
import type { TokenScorer } from './token-scorer.js';

/** Bytes of the levels that the kernels look up, and of the maxima that they keep. */
const [LEVEL_BYTES, BEST_BYTES] = [16, 64];

/**
 * Levels of a few bits with a scale a token, rotated and less a mean: lanes are rotated and become
 * int16 codes with a scale each; the levels of a tile are looked up once, products are exact in
 * int32, and the product of the lane with the mean is added behind.
 */
export function levelScorer(bits: CodeBits): TokenScorer {
  return {
    packScratch(lanes, dim) {
      const padded = paddedDim(dim, bits);
      const codes = 2 * (packedLanes(lanes) + lanes) * padded;
      return codes + 4 * (lanes * (padded + 2) + padded + (ROTATION_ROUNDS + 1) * dim) + 512;
    },
    scoreScratch: (tokens, dim) =>
      tokens * (2 * paddedDim(dim, bits) + 8) + LEVEL_BYTES + BEST_BYTES + 512,

    pack(context, { dim, parameters }, x, lanes) {
      const { kernels } = context;
      if (!parameters) throw new Error('rotated documents without a rotation');
      const padded = paddedDim(dim, bits);
      const panels = context.scratch(packedLanes(lanes) * padded * 2);
      const scales = context.scratch(lanes * 4);
      const shifts = context.scratch(lanes * 4);

      const learned = context.stage(parameters, 0, (ROTATION_ROUNDS + 1) * dim);
      const rotated = context.scratch(lanes * padded * 4);
      kernels.rotateRows(x, lanes, dim, learned, ROTATION_ROUNDS, rotated, padded);
      const mean = context.scratch(padded * 4);
      const values = context.at('f32', mean, padded).fill(0);
      values.set(context.at('f32', learned + ROTATION_ROUNDS * dim * 4, dim));
      kernels.scanF32(mean, rotated, lanes, padded, shifts);

      const codes = context.scratch(lanes * padded * 2);
      kernels.quantizeRowsI16(rotated, lanes, padded, laneLimit(padded), 0, codes, scales);
      kernels.packLanesI16(codes, lanes, padded, panels);
      return { panels, lanes, scales, shifts };
    },

    score(context, { dim }, { panels, lanes, scales, shifts }, tile, out, stride) {
      const { kernels } = context;
      const { pieces, tokens, counts, documents } = tile;
      const padded = paddedDim(dim, bits);
      const levels = context.scratch(LEVEL_BYTES);
      context.at('i8', levels, LEVEL_BYTES).fill(0).set(LEVELS[bits]);
      const wide = context.scratch(tokens * padded * 2);
      const each = context.scratch(tokens * 4);
      unpackPieces(context, pieces, dim, bits, levels, wide, each);
      kernels.maxDotsScaledI16(
        panels,
        lanes,
        padded,
        wide,
        each,
        counts,
        documents,
        out,
        stride,
        context.scratch(BEST_BYTES),
      );
      const ones = context.scratch(documents * 4);
      context.at('f32', ones, documents).fill(1);
      kernels.dequantise(out, lanes, documents, stride, scales, ones, shifts);
    },
  };
}

/** The levels of a tile's rows to `wide`, and the scale of each token to `scales`. */
function unpackPieces(
  { kernels }: Context,
  pieces: readonly RowPiece[],
  dim: number,
  bits: CodeBits,
  levels: number,
  wide: number,
  scales: number,
): void {
  const [bytes, rowBytes] = [codeBytes(dim, bits), 2 * paddedDim(dim, bits)];
  let token = 0;
  for (const { address, tokens } of pieces) {
    const [out, outScales] = [wide + token * rowBytes, scales + token * 4];
    kernels.unpackLevels(address, tokens, bytes, bits, levels, out, outScales);
    token += tokens;
  }
}
