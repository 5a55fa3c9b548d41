/**
 * The k largest of `scores`, best first, ties by the lower index. Writes their positions (plus
 * `base`) and scores to `indices` and `best` at `at` and returns how many there are: min(k, count).
 * NaN never enters.
 */
export function selectTopK(
  scores: ArrayLike<number>,
  count: number,
  k: number,
  base: number,
  indices: Int32Array,
  best: Float32Array,
  at: number,
): number {
  const kept = Math.min(k, count);
  if (kept === 0) return 0;
  // a heap with the worst of the kept ones on top, in the output itself
  let size = 0;
  for (let i = 0; i < count; i++) {
    const score = scores[i];
    if (size < kept) {
      siftUp(indices, best, at, size++, i, score);
    } else if (score > best[at]) {
      siftDown(indices, best, at, size, i, score);
    }
  }
  // take the worst out again and again: the output is sorted from its end
  for (let last = size - 1; last > 0; last--) {
    const index = indices[at + last];
    const score = best[at + last];
    indices[at + last] = indices[at];
    best[at + last] = best[at];
    siftDown(indices, best, at, last, index, score);
  }
  for (let i = at; i < at + size; i++) indices[i] += base;
  return size;
}

/** Whether (score a, index i) ranks behind (score b, index j). */
function isWorse(a: number, i: number, b: number, j: number): boolean {
  return a < b || (a === b && i > j);
}

export function siftUp(
  indices: Int32Array,
  best: Float32Array,
  at: number,
  slot: number,
  index: number,
  score: number,
): void {
  while (slot > 0) {
    const parent = (slot - 1) >> 1;
    if (!isWorse(score, index, best[at + parent], indices[at + parent])) break;
    indices[at + slot] = indices[at + parent];
    best[at + slot] = best[at + parent];
    slot = parent;
  }
  indices[at + slot] = index;
  best[at + slot] = score;
}

export function siftDown(
  indices: Int32Array,
  best: Float32Array,
  at: number,
  size: number,
  index: number,
  score: number,
): void {
  let slot = 0;
  for (let child = 1; child < size; child = 2 * slot + 1) {
    if (
      child + 1 < size &&
      isWorse(best[at + child + 1], indices[at + child + 1], best[at + child], indices[at + child])
    )
      child++;
    if (!isWorse(best[at + child], indices[at + child], score, index)) break;
    indices[at + slot] = indices[at + child];
    best[at + slot] = best[at + child];
    slot = child;
  }
  indices[at + slot] = index;
  best[at + slot] = score;
}

/**
 * Positions of the k largest of `scores`, ascending, ties at the cut by the lower position: a set,
 * in time that does not depend on k. Writes them to `out` at `at` and returns how many there are:
 * min(k, count). `scratch` has room for `count` values.
 */
export function selectLargest(
  scores: Float32Array,
  count: number,
  k: number,
  scratch: Float32Array,
  out: Int32Array,
  at: number,
): number {
  const kept = Math.min(k, count);
  if (kept === 0) return 0;
  scratch.set(count === scores.length ? scores : scores.subarray(0, count));
  const least = kthLargest(scratch, count, kept);
  let above = 0;
  for (let i = 0; i < count; i++) if (scores[i] > least) above++;
  let ties = kept - above;
  for (let i = 0; i < count; i++) {
    if (scores[i] > least || (scores[i] === least && ties-- > 0)) out[at++] = i;
  }
  return kept;
}

/** The k-th largest of the first n values, k from 1 (quickselect); moves them about. */
function kthLargest(values: Float32Array, n: number, k: number): number {
  let low = 0;
  let high = n - 1;
  const wanted = k - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i] > pivot) i++;
      while (values[j] < pivot) j--;
      if (i > j) break;
      const value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return values[wanted];
}
