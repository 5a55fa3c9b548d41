/** Distances of all pairs are held at once: n^2 float64, so 32 MiB at most. */
export const WARD_MOST = 2048;

/** Chain steps between two looks at the clock. */
const STEPS = 32;

/**
 * The `clusters` clusters of `n` (at most `WARD_MOST`) rows of `vectors` by Ward's method: from
 * single rows on, the two clusters are merged whose merging adds least to the sum of squared
 * distances from the cluster means. Returns each row's cluster; clusters are numbered by their
 * first rows. Of equally near pairs the first found is taken, in an order that depends on the rows
 * alone. `distances` has room for n^2 values.
 */
export async function wardClusters(
  { vectors, n, dim }: { vectors: Float32Array; n: number; dim: number },
  clusters: number,
  distances: Float64Array,
  pace: () => Promise<void> | undefined,
): Promise<Int32Array> {
  await squaredDistances(vectors, n, dim, distances, pace);
  return cutTree(n, await nearestNeighbourChain(n, distances, pace), clusters);
}

/**
 * The cluster that begins with row `gone` went into the one that begins with the earlier row
 * `into`, at this squared distance.
 */
interface Merge {
  readonly into: number;
  readonly gone: number;
  readonly height: number;
}

/**
 * All n - 1 merges: a chain of nearest neighbours is followed to a pair that are each other's
 * (Murtagh 1983), O(n^2) in all.
 */
async function nearestNeighbourChain(
  n: number,
  d: Float64Array,
  pace: () => Promise<void> | undefined,
): Promise<Merge[]> {
  const sizes = new Int32Array(n).fill(1); // 0: merged into another
  const merges: Merge[] = [];
  const chain: number[] = [];
  let first = 0;
  for (let step = 0; merges.length < n - 1; step++) {
    if (step % STEPS === 0) await pace();
    if (chain.length === 0) {
      while (sizes[first] === 0) first++;
      chain.push(first);
    }
    const top = chain[chain.length - 1];
    const before = chain.length > 1 ? chain[chain.length - 2] : -1;
    // the one before stays unless another is nearer: the chain cannot turn in circles among equals
    let nearest = before;
    let least = before >= 0 ? d[top * n + before] : Infinity;
    for (let j = 0, at = top * n; j < n; j++, at++) {
      if (d[at] < least && sizes[j] > 0 && j !== top) {
        least = d[at];
        nearest = j;
      }
    }
    if (nearest !== before) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    const [into, gone] = [Math.min(top, before), Math.max(top, before)];
    merges.push({ into, gone, height: least });
    mergeDistances(n, d, sizes, into, gone);
    sizes[into] += sizes[gone];
    sizes[gone] = 0;
  }
  return merges;
}

/**
 * Distances of the union of two clusters from all others, by the formula of Lance and Williams;
 * they take the place of those of `into`. A union of nearest neighbours is no nearer to a third
 * than both were. Rounding must not break that: the chain and the order of heights rest on it.
 */
function mergeDistances(
  n: number,
  d: Float64Array,
  sizes: Int32Array,
  into: number,
  gone: number,
): void {
  const between = d[into * n + gone];
  for (let k = 0; k < n; k++) {
    if (sizes[k] === 0 || k === into || k === gone) continue;
    const [a, b, size] = [d[into * n + k], d[gone * n + k], sizes[k]];
    const sum = (sizes[into] + size) * a + (sizes[gone] + size) * b - size * between;
    const distance = Math.max(sum / (sizes[into] + sizes[gone] + size), Math.min(a, b));
    d[into * n + k] = distance;
    d[k * n + into] = distance;
  }
}

/** Takes the n - clusters lowest merges. */
function cutTree(n: number, merges: readonly Merge[], clusters: number): Int32Array {
  const parents = Int32Array.from({ length: n }, (_, i) => i);
  // the sort is stable, and a merge was found after those it is made of and is no lower
  const lowest = merges.toSorted((x, y) => x.height - y.height).slice(0, n - clusters);
  for (const { into, gone } of lowest) parents[gone] = into;
  const labels = new Int32Array(n);
  let next = 0;
  for (let i = 0; i < n; i++) labels[i] = parents[i] === i ? next++ : labels[parents[i]];
  return labels;
}

/** d[i, j] = |x[i] - x[j]|^2. */
async function squaredDistances(
  x: Float32Array,
  n: number,
  dim: number,
  d: Float64Array,
  pace: () => Promise<void> | undefined,
): Promise<void> {
  const whole = dim - (dim % 4);
  for (let i = 0; i < n; i++) {
    await pace();
    d[i * n + i] = 0;
    for (let j = 0; j < i; j++) {
      const [p, q] = [i * dim, j * dim];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let c = 0; c < whole; c += 4) {
        const d0 = x[p + c] - x[q + c];
        const d1 = x[p + c + 1] - x[q + c + 1];
        const d2 = x[p + c + 2] - x[q + c + 2];
        const d3 = x[p + c + 3] - x[q + c + 3];
        s0 += d0 * d0;
        s1 += d1 * d1;
        s2 += d2 * d2;
        s3 += d3 * d3;
      }
      for (let c = whole; c < dim; c++) s0 += (x[p + c] - x[q + c]) ** 2;
      d[i * n + j] = s0 + s1 + (s2 + s3);
      d[j * n + i] = d[i * n + j];
    }
  }
}
