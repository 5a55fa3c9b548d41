import { LemurError } from '../errors.js';
import { pacer } from '../pacer.js';
import { showValue } from '../value-kind.js';
import { sharedFloats } from './gather.js';
import { rowOffsets, type TokenSets } from './token-sets.js';
import { WARD_MOST, wardClusters } from './ward.js';

/** Texts with fewer vectors than they had tokens. */
export interface PooledTokens extends TokenSets {
  /**
   * For each row of the input, in its order, the pooled row it went into, counted from the first
   * pooled row of its text.
   */
  readonly members: Int32Array;
}

/**
 * Token pooling (Clavié, Chaffin and Adams 2024, arXiv 2409.14683): the n vectors of each text are
 * clustered by Ward's method (`wardClusters`) into max(1, floor(n / factor)), the rule of PyLate
 * and ColBERT, and each cluster becomes one vector: the direction of its mean with the mean of its
 * members' norms, so unit vectors stay unit vectors; members that cancel each other out leave
 * zeros. A vector alone in its cluster is kept as it is. Pooled rows are in the order of their
 * first members. What becomes of a text does not depend on its neighbours; with factor 1 the
 * vectors are the input's.
 *
 * A text of more than 2,048 tokens is cut into the fewest parts of consecutive tokens that are no
 * longer, of equal length up to a token, and each is pooled by itself: time grows with the text's
 * length then, not with its square.
 *
 * `factor` is a finite number of at least 1. Rejects with 'invalid-argument' or the signal's
 * reason.
 */
export async function poolTokens(
  sets: TokenSets,
  factor: number,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<PooledTokens> {
  if (!Number.isFinite(factor) || factor < 1) {
    throw new LemurError(
      'invalid-argument',
      `factor: expected a number of at least 1, got ${showValue(factor)}`,
      { where: 'factor' },
    );
  }
  const { vectors, counts, offsets, dim } = sets;
  const pace = pacer(signal);
  const members = new Int32Array(offsets[counts.length]);
  const pooledCounts = new Int32Array(counts.length);
  let distances = new Float64Array(0); // room for the longest part so far
  for (let text = 0; text < counts.length; text++) {
    await pace();
    const parts = Math.ceil(counts[text] / WARD_MOST);
    for (let part = 0; part < parts; part++) {
      const from = offsets[text] + Math.floor((counts[text] * part) / parts);
      const to = offsets[text] + Math.floor((counts[text] * (part + 1)) / parts);
      const n = to - from;
      const clusters = Math.max(1, Math.floor(n / factor));
      if (clusters < n && distances.length < n * n) distances = new Float64Array(n * n);
      const rows = { vectors: vectors.subarray(from * dim, to * dim), n, dim };
      const labels = clusters < n ? await wardClusters(rows, clusters, distances, pace) : undefined;
      for (let i = 0; i < n; i++) members[from + i] = pooledCounts[text] + (labels ? labels[i] : i);
      pooledCounts[text] += clusters;
    }
  }
  const pooledOffsets = rowOffsets(pooledCounts);
  if (pooledOffsets[counts.length] === members.length)
    return { vectors, counts, offsets, dim, members };
  const pooled = sharedFloats(pooledOffsets[counts.length] * dim);
  for (let text = 0; text < counts.length; text++) {
    await pace();
    const [from, to] = [offsets[text], offsets[text + 1]];
    const out = pooled.subarray(pooledOffsets[text] * dim, pooledOffsets[text + 1] * dim);
    poolRows(vectors.subarray(from * dim, to * dim), members.subarray(from, to), dim, out);
  }
  return { vectors: pooled, counts: pooledCounts, offsets: pooledOffsets, dim, members };
}

/** out[members[i]]: the direction of the mean of rows i with the mean of their norms. */
function poolRows(x: Float32Array, members: Int32Array, dim: number, out: Float32Array): void {
  const sums = new Float64Array(out.length);
  const norms = new Float64Array(out.length / dim);
  const sizes = new Int32Array(norms.length);
  const last = new Int32Array(norms.length);
  for (let i = 0; i < members.length; i++) {
    const to = members[i] * dim;
    let square = 0;
    for (let c = 0; c < dim; c++) {
      const value = x[i * dim + c];
      sums[to + c] += value;
      square += value * value;
    }
    norms[members[i]] += Math.sqrt(square);
    sizes[members[i]]++;
    last[members[i]] = i;
  }
  for (let row = 0; row < norms.length; row++) {
    const at = row * dim;
    if (sizes[row] === 1) {
      out.set(x.subarray(last[row] * dim, (last[row] + 1) * dim), at);
      continue;
    }
    let square = 0;
    for (let c = 0; c < dim; c++) square += sums[at + c] ** 2;
    const scale = square > 0 ? norms[row] / sizes[row] / Math.sqrt(square) : 0;
    for (let c = 0; c < dim; c++) out[at + c] = sums[at + c] * scale;
  }
}
