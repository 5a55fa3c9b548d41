import type { Ranking } from '../collection/query/group-sources.js';
import type { QuerySets } from '../collection/query/read-queries.js';
import { nextMacrotask } from '../pacer.js';
import type { RunOptions } from '../run-options.js';
import { timed } from './latency.js';
import type { Setting } from './setting.js';

/** Queries that each setting runs before anything is timed. */
const WARM_UP = 5;

/** What a setting has found and how long it took, query by query. */
export interface Measured {
  readonly setting: Setting;
  readonly rankings: readonly Ranking[];
  /** Milliseconds. */
  readonly times: readonly number[];
}

/**
 * Runs every query through all settings before the next one comes, so that a busy moment of the
 * machine meets them all alike; each round begins with another setting.
 */
export async function measureRounds(
  settings: readonly Setting[],
  queries: readonly QuerySets[],
  { signal, onProgress }: RunOptions,
): Promise<Measured[]> {
  for (const query of queries.slice(0, WARM_UP))
    for (const { search } of settings) {
      signal?.throwIfAborted();
      await search(query);
    }
  const measured = settings.map((setting) => ({
    setting,
    rankings: [] as Ranking[],
    times: [] as number[],
  }));
  for (const [q, query] of queries.entries()) {
    onProgress?.({ stage: 'measure', done: q, total: queries.length });
    for (let i = 0; i < measured.length; i++) {
      const { setting, rankings, times } = measured[(q + i) % measured.length];
      signal?.throwIfAborted();
      await nextMacrotask();
      const { value, ms } = await timed(() => setting.search(query));
      rankings.push(value);
      times.push(ms);
    }
  }
  onProgress?.({ stage: 'measure', done: queries.length, total: queries.length });
  return measured;
}
