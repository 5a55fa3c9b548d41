/** Parts that the range of scores is cut into, to look at the one that has the cut. */
const BINS = 512;
/** So few scores are not cut. */
const FEW = 128;
const counted = new Int32Array(BINS);

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
  if (count <= k) {
    for (let i = 0; i < count; i++) out[at + i] = i;
    return count;
  }
  const { least, ties, chosen } = cutOf(scores, count, kept, scratch);
  const end = at + kept;
  let to = at;
  if (ties === chosen) {
    // without a branch for each score, which would be guessed wrong half of the time
    for (let i = 0; i < count && to < end; i++) {
      out[to] = i;
      to += Number(scores[i] >= least);
    }
    return to - at;
  }
  let left = chosen;
  for (let i = 0; i < count && to < end; i++)
    if (scores[i] > least || (scores[i] === least && left-- > 0)) out[to++] = i;
  return to - at;
}

/** The k-th largest score, how many are equal to it, and how many of these are among the k. */
interface Cut {
  least: number;
  ties: number;
  chosen: number;
}

/** Among the first `count` scores, k from 1: all but one bin are only counted. */
function cutOf(scores: Float32Array, count: number, k: number, scratch: Float32Array): Cut {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < count; i++) {
    const score = scores[i];
    if (score < low) low = score;
    if (score > high) high = score;
  }
  const scale = (BINS - 1) / (high - low);
  if (count <= FEW || !(scale > 0 && scale < Infinity)) {
    scratch.set(count === scores.length ? scores : scores.subarray(0, count));
    return cutAmong(scratch, count, k);
  }
  // rounding keeps the order: no score is in a higher bin than a larger one
  counted.fill(0);
  for (let i = 0; i < count; i++) counted[((scores[i] - low) * scale) | 0]++;
  let bin = BINS - 1;
  let left = k;
  while (left > counted[bin]) left -= counted[bin--];
  let n = 0;
  for (let i = 0; i < count; i++)
    if ((((scores[i] - low) * scale) | 0) === bin) scratch[n++] = scores[i];
  return cutAmong(scratch, n, left);
}

function cutAmong(values: Float32Array, n: number, k: number): Cut {
  const least = kthLargest(values, n, k);
  let above = 0;
  let ties = 0;
  for (let i = 0; i < n; i++) {
    if (values[i] > least) above++;
    else if (values[i] === least) ties++;
  }
  return { least, ties, chosen: k - above };
}

/** The k-th largest of the first n values, k from 1 (quickselect); moves them about. */
export function kthLargest(values: Float32Array, n: number, k: number): number {
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
