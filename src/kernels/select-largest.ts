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
