/**
 * Lets everything else that waits in this thread run: timers, events, painting. Unlike `setTimeout`
 * it is not slowed down in browsers.
 */
export async function nextMacrotask(): Promise<void> {
  await anotherTurn();
  lastTurn = performance.now();
}

/** When something last waited for a turn of the event loop here. */
let lastTurn = 0;

function anotherTurn(): Promise<void> {
  if (typeof MessageChannel === 'undefined')
    return new Promise((resolve) => void setTimeout(resolve, 0));
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close(); // an open port keeps Node alive
      resolve();
    };
    port2.postMessage(null);
  });
}

/**
 * For loops of long calls: `await pace()` between steps of a few milliseconds gives the thread away
 * once `sliceMs` have passed since anything here did so last: many short calls in a row give way as
 * one long call does, and one of them alone waits for nothing. Rejects with the signal's reason
 * when that is aborted, at once if it was before. Never changes a result.
 */
export function pacer(
  signal?: AbortSignal | undefined,
  sliceMs = 10,
): () => Promise<void> | undefined {
  let looked = false;
  const pause = async (): Promise<void> => {
    signal?.throwIfAborted();
    await nextMacrotask();
    signal?.throwIfAborted();
  };
  return () => {
    const first = !looked;
    looked = true;
    if (performance.now() < lastTurn + sliceMs && !(first && signal?.aborted)) return undefined;
    return pause();
  };
}

/** What is left of a piece of work, which yields after every few milliseconds of it. */
export type Slices<T> = Generator<void, T, void>;

/** The work in one go. */
export function atOnce<T>(work: Slices<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** The work slice by slice, giving way to other work in between. */
export async function inTurns<T>(work: Slices<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await nextMacrotask();
  }
}

/** Small steps (a key, a value, an id) between two turns of the event loop at the most. */
export const STEPS_A_TURN = 4096;

/**
 * For loops of many small steps: `await step()` after each of them gives the thread away after
 * every `STEPS_A_TURN` of them, however quick the machine is, and once 10 ms have passed; `step(n)`
 * counts as n. Rejects with the signal's reason when that is aborted. Never changes a result.
 */
export function stepPacer(
  signal?: AbortSignal | undefined,
): (steps?: number) => Promise<void> | undefined {
  let left = STEPS_A_TURN;
  let until = performance.now() + 10;
  let looked = 0;
  /** Loops beside one another wait together. */
  let pausing: Promise<void> | undefined;
  const pause = async (): Promise<void> => {
    try {
      signal?.throwIfAborted();
      await nextMacrotask();
      signal?.throwIfAborted();
    } finally {
      pausing = undefined;
      left = STEPS_A_TURN;
      until = performance.now() + 10;
    }
  };
  return (steps = 1) => {
    if (pausing) return pausing;
    left -= steps;
    // the clock is looked at every 16 steps
    if (left > 0 && ((++looked & 15) !== 0 || performance.now() < until)) return undefined;
    pausing = pause();
    return pausing;
  };
}
