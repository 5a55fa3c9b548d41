import { siftDown, siftUp } from './top-k.js';

/**
 * Scores looked at, or taken out of the heap, that count as a step between two turns of the event
 * loop.
 */
const STEP_SCORES = 8;

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
  for (let i = 0; i < count; i++) {
    const score = scores[i];
    if (size < kept) siftUp(indices, best, at, size++, i, score);
    else if (score > best[at]) siftDown(indices, best, at, size, i, score);
    if (i % STEP_SCORES === 0) {
      const wait = step();
      if (wait) await wait;
    }
  }
  for (let last = size - 1; last > 0; last--) {
    const index = indices[at + last];
    const score = best[at + last];
    indices[at + last] = indices[at];
    best[at + last] = best[at];
    siftDown(indices, best, at, last, index, score);
    if (last % STEP_SCORES === 0) {
      const wait = step();
      if (wait) await wait;
    }
  }
  return size;
}
