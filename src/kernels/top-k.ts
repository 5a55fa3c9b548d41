/** Scores looked at, or sorted, between two chances for other work on this thread. */
const SCORES = 512;
/** So many of them that are looked at count as a step, and so many that are sorted. */
const SCORES_A_STEP = 8;
const SORTED_A_STEP = 4;

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
  const size = keepBest(scores, 0, count, kept, 0, indices, best, at);
  sortKept(size - 1, 0, indices, best, at);
  for (let i = at; i < at + size; i++) indices[i] += base;
  return size;
}

/**
 * `selectTopK` with base 0, for any number of scores and any k: gives way to other work as it goes
 * on.
 */
export async function selectTopKPaced(
  scores: ArrayLike<number>,
  count: number,
  k: number,
  indices: Int32Array,
  best: Float32Array,
  at: number,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<number> {
  const kept = Math.min(k, count);
  if (kept === 0) return 0;
  let size = 0;
  for (let from = 0; from < count; from += SCORES) {
    const to = Math.min(count, from + SCORES);
    size = keepBest(scores, from, to, kept, size, indices, best, at);
    const wait = step(Math.ceil((to - from) / SCORES_A_STEP));
    if (wait) await wait;
  }
  for (let last = size - 1; last > 0; last -= SCORES) {
    const behind = Math.max(0, last - SCORES);
    sortKept(last, behind, indices, best, at);
    const wait = step(Math.ceil((last - behind) / SORTED_A_STEP));
    if (wait) await wait;
  }
  return size;
}

/**
 * Puts scores from .. to into a heap of at most `kept`, the worst on top, that lies in the output
 * itself. Returns how many it holds.
 */
function keepBest(
  scores: ArrayLike<number>,
  from: number,
  to: number,
  kept: number,
  size: number,
  indices: Int32Array,
  best: Float32Array,
  at: number,
): number {
  let held = size;
  for (let i = from; i < to; i++) {
    const score = scores[i];
    if (held < kept) siftUp(indices, best, at, held++, i, score);
    else if (score > best[at]) siftDown(indices, best, at, held, i, score);
  }
  return held;
}

/**
 * Takes the worst out of the heap again and again and puts it at its end: places `last` down to
 * `behind` + 1 of the output are sorted then.
 */
function sortKept(
  last: number,
  behind: number,
  indices: Int32Array,
  best: Float32Array,
  at: number,
): void {
  for (let place = last; place > behind; place--) {
    const index = indices[at + place];
    const score = best[at + place];
    indices[at + place] = indices[at];
    best[at + place] = best[at];
    siftDown(indices, best, at, place, index, score);
  }
}

/** Whether (score a, index i) ranks behind (score b, index j). */
function isWorse(a: number, i: number, b: number, j: number): boolean {
  return a < b || (a === b && i > j);
}

function siftUp(
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

function siftDown(
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
