import type { TokenBasis } from '../../../tokens/encoding.js';
import { encodingOf } from '../../../tokens/encodings.js';
import type { DeviceTokens } from '../../device-tokens.js';
import { float32Scorer } from './float32-scorer.js';
import type { Context } from './operation.js';
import type { TokenScorer } from './token-scorer.js';

/**
 * Rows of any encoding: a tile is decoded, and scored by the float32 kernel in the space that its
 * rows are decoded to.
 */
export const decodingScorer: TokenScorer = {
  packScratch: (lanes, dim) => 4 * lanes * dim + float32Scorer.packScratch(lanes, dim),
  scoreScratch: (tokens, dim) => 4 * tokens * dim + float32Scorer.scoreScratch(tokens, dim),
  pack(context, documents, x, lanes) {
    const length = lanes * documents.dim;
    const own = context.scratch(length * 4);
    const vectors = context.at('f32', own, length);
    vectors.set(context.at('f32', x, length));
    encodingOf(documents.encoding).prepareQuery?.(vectors, basisOf(context, documents));
    return float32Scorer.pack(context, documents, own, lanes);
  },
  score(context, documents, packed, tile, out, stride) {
    const { dim } = documents;
    const encoding = encodingOf(documents.encoding);
    const basis = basisOf(context, documents);
    const width = encoding.rowBytes(dim);
    const decoded = context.scratch(tile.tokens * dim * 4);
    const counts = context.at('i32', tile.counts, tile.documents);
    const scales = tile.scales > 0 ? context.at('f32', tile.scales, tile.documents) : null;
    let [document, to] = [0, decoded];
    for (const piece of tile.pieces) {
      let from = piece.address;
      for (const end = document + piece.documents; document < end; document++) {
        const tokens = counts[document];
        const rows = context.at('i8', from, tokens * width);
        const values = context.at('f32', to, tokens * dim);
        encoding.decode({ rows, scale: scales?.[document] ?? 1 }, basis, values);
        from += tokens * width;
        to += tokens * dim * 4;
      }
    }
    const all = { address: decoded, tokens: tile.tokens, documents: tile.documents };
    float32Scorer.score(context, documents, packed, { ...tile, pieces: [all] }, out, stride);
  },
};

function basisOf(context: Context, { dim, parameters }: DeviceTokens): TokenBasis {
  return { dim, parameters: parameters ? context.view(parameters) : new Float32Array(0) };
}
