/** Lets everything else that waits in this thread run: timers, events, painting. Unlike `setTimeout` it is not slowed down in browsers. */
export function nextMacrotask(): Promise<void> {
  if (typeof MessageChannel === 'undefined') return new Promise((resolve) => void setTimeout(resolve, 0));
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
 * For loops of long calls: `await pace()` between steps of a few milliseconds gives the thread away once `sliceMs` have passed since it did so last,
 * and rejects with the signal's reason when that is aborted. Never changes a result.
 */
export function pacer(signal?: AbortSignal | undefined, sliceMs = 10): () => Promise<void> | undefined {
  let until = 0; // the first call checks the signal
  const pause = async (): Promise<void> => {
    signal?.throwIfAborted();
    await nextMacrotask();
    signal?.throwIfAborted();
    until = performance.now() + sliceMs;
  };
  return () => (performance.now() < until ? undefined : pause());
}
