import { stepPacer } from '../../pacer.js';

/**
 * Items under way at a time: enough for a disk, few enough that a long list of them is not begun
 * all at once.
 */
const LANES = 64;
/** Steps that an item counts as, between two turns of the event loop. */
const STEPS_AN_ITEM = 32;

/**
 * Calls `make` for the numbers from 0 up to `count`, a few under way at a time, and returns the
 * results in their order, giving way to other work in between. The first failure ends it; rejects
 * with that, or with the signal's reason.
 */
export async function inLanes<T>(
  count: number,
  make: (i: number) => Promise<T>,
  signal?: AbortSignal | undefined,
): Promise<T[]> {
  const out = new Array<T>(count);
  const step = stepPacer(signal);
  let next = 0;
  const lane = async (): Promise<void> => {
    try {
      while (next < count) {
        const i = next++;
        out[i] = await make(i);
        const wait = step(STEPS_AN_ITEM);
        if (wait) await wait;
      }
    } catch (error) {
      next = count;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, count) }, lane));
  return out;
}
