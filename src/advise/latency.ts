/** Milliseconds of one query at a time. */
export interface Latency {
  /** The middle one. */
  median: number;
  /** 95 of 100 queries took no longer. */
  p95: number;
}

/** Sums up what a method does, query by query. */
export interface Tally {
  /** `ndcg` is undefined where nothing is judged. */
  add(ms: number, ndcg: number | undefined, recall: number): void;
  summary(): { ndcg: number | null; recall: number; latency: Latency };
}

export function createTally(): Tally {
  const times: number[] = [];
  let ndcgSum = 0;
  let judged = 0;
  let recallSum = 0;
  return {
    add(ms, ndcg, recall) {
      times.push(ms);
      if (ndcg !== undefined) {
        ndcgSum += ndcg;
        judged++;
      }
      recallSum += recall;
    },
    summary: () => ({
      ndcg: judged > 0 ? ndcgSum / judged : null,
      recall: recallSum / times.length,
      latency: latencyOf(times),
    }),
  };
}

export function latencyOf(times: readonly number[]): Latency {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, p95: sorted[Math.ceil(0.95 * sorted.length) - 1] };
}

/** Runs `run` and says how long it took. */
export async function timed<T>(run: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now();
  const value = await run();
  return { value, ms: performance.now() - started };
}
