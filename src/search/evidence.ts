/**
 * Why a document scored: for each query token the number of the document token with the largest
 * inner product, and that product.
 */
export interface TokenMatches {
  readonly tokens: Int32Array;
  readonly scores: Float32Array;
}

/** Multiplications that are made in one go. */
const PRODUCTS = 1 << 20;
/** Multiplications that count as a step between two turns of the event loop. */
const STEP_PRODUCTS = 1 << 11;

/**
 * The terms of MaxSim between one query and one document, both row-major with `dim` columns,
 * dequantised where they were stored in fewer bits: the sum of `scores` is `maxSim` up to rounding
 * to float32. The document comes in parts of whole rows, each looked at before the next is asked
 * for; how it is parted changes nothing. Of equal products the document token of the lower number
 * counts. Products are summed in float64. The values must have passed the gate (finite, whole
 * rows); without a document token the numbers are -1 and the scores -Infinity. `step` is that of a
 * `stepPacer`: work gives way by it.
 */
export async function evidenceOf(
  query: Float32Array,
  parts: Iterable<Float32Array>,
  dim: number,
  step: (steps: number) => Promise<void> | undefined,
): Promise<TokenMatches> {
  const rows = query.length / dim;
  const tokens = new Int32Array(rows).fill(-1);
  const best = new Float64Array(rows).fill(-Infinity);
  let first = 0;
  for (const part of parts) {
    const some = Math.max(1, Math.floor(PRODUCTS / Math.max(1, part.length)));
    for (let from = 0; from < rows; from += some) {
      const to = Math.min(rows, from + some);
      matchRows(query, from, to, part, first, dim, tokens, best);
      const wait = step(((to - from) * part.length) / STEP_PRODUCTS);
      if (wait) await wait;
    }
    first += part.length / dim;
  }
  return { tokens, scores: Float32Array.from(best) };
}

/** Notes where tokens from `first` on match query rows `from` .. `to` better than those before. */
function matchRows(
  query: Float32Array,
  from: number,
  to: number,
  part: Float32Array,
  first: number,
  dim: number,
  tokens: Int32Array,
  best: Float64Array,
): void {
  const whole = dim - (dim % 4);
  for (let row = from, x = from * dim; row < to; row++, x += dim) {
    let most = best[row];
    for (let token = first, y = 0; y < part.length; token++, y += dim) {
      // four sums: each addition would wait for the one before
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let c = 0; c < whole; c += 4) {
        s0 += query[x + c] * part[y + c];
        s1 += query[x + c + 1] * part[y + c + 1];
        s2 += query[x + c + 2] * part[y + c + 2];
        s3 += query[x + c + 3] * part[y + c + 3];
      }
      for (let c = whole; c < dim; c++) s0 += query[x + c] * part[y + c];
      const product = s0 + s1 + (s2 + s3);
      if (product > most) {
        most = product;
        tokens[row] = token;
      }
    }
    best[row] = most;
  }
}
