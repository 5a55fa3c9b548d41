// How long work keeps the thread it runs on.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/**
 * The longest time between two turns of the event loop while `work` runs, and the most that the
 * thread had on the processor meanwhile, in milliseconds; NaN where the system does not tell.
 */
export async function holdsOf(work) {
  let [longest, busiest] = [0, 0];
  let [last, lastBusy] = [performance.now(), onProcessor()];
  let on = true;
  const turn = () => {
    const [now, busy] = [performance.now(), onProcessor()];
    longest = Math.max(longest, now - last);
    busiest = Math.max(busiest, busy - lastBusy);
    [last, lastBusy] = [now, busy];
    if (on) setImmediate(turn);
  };
  turn();
  await new Promise(setImmediate);
  [longest, busiest] = [0, 0];
  [last, lastBusy] = [performance.now(), onProcessor()];
  try {
    await work();
  } finally {
    // what was done without a turn counts too
    await new Promise(setImmediate);
    on = false;
  }
  return { longest, busiest };
}

/** Milliseconds that the main thread has had on the processor. */
function onProcessor() {
  try {
    const stat = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
    return Number(stat.split(' ')[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}
