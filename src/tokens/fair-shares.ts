/** No text gives more than this part of the rows that samples are drawn from. */
const MOST = 1 / 16;
/** Unless it is no longer than so many times what is usual. */
const USUAL = 8;
/** Times that the limit is adjusted; each comes nearer to it. */
const ROUNDS = 30;

/**
 * How many of each text's rows a sample of `wanted` rows may be drawn from: all, but for texts that
 * are far longer than others and would be most of the sample. The rows that are left are enough for
 * it where all of them are.
 */
export function fairShares(counts: Int32Array, wanted: number): Int32Array {
  const total = sumUpTo(counts, Infinity);
  let longest = 0;
  for (const count of counts) longest = Math.max(longest, count);
  if (longest <= MOST * total) return counts;
  const usual = USUAL * counts.slice().sort()[counts.length >> 1];
  let limit = longest;
  for (let round = 0; round < ROUNDS; round++)
    limit = Math.max(usual, Math.floor(MOST * sumUpTo(counts, limit)));
  // the least limit that leaves enough
  let [low, high] = [Math.min(limit, longest), longest];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sumUpTo(counts, middle) >= Math.min(wanted, total)) high = middle;
    else low = middle + 1;
  }
  return low >= longest ? counts : counts.map((count) => Math.min(count, low));
}

/**
 * The row of a text with `count` rows that is number `place` of its share: these are spread evenly.
 */
export function rowOfShare(place: number, share: number, count: number): number {
  return share === count ? place : Math.floor((place * count) / share);
}

function sumUpTo(counts: Int32Array, limit: number): number {
  let sum = 0;
  for (const count of counts) sum += Math.min(count, limit);
  return sum;
}
