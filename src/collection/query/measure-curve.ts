import type { SearchDevice } from '../../device/device.js';
import { LemurError } from '../../errors.js';
import type { RunOptions } from '../../run-options.js';
import type { AllowedDocuments } from '../../search/allowed-documents.js';
import { candidateLists } from '../../search/candidate-lists.js';
import { DeviceQueries } from '../../search/device-queries.js';
import type { TopK } from '../../search/top-documents.js';
import type { Curve } from '../files/manifest.js';
import type { Snapshot } from '../files/snapshot.js';
import { refitAdvice } from '../learn/refit-advice.js';
import { chooseCandidates } from './choose-candidates.js';
import { sourceOf } from './chosen-source.js';
import { allowedIn } from './filter-mask.js';
import { findDocuments } from './find-documents.js';
import type { HeldOutQueries } from './held-out-queries.js';

/** Documents behind the best that may score as the last of them does. */
const TIES = 10;
/** Most candidates that are tried. */
const MOST_CANDIDATES = 8192;

/** The best documents of a query but its own. */
interface Wanted {
  /** Those that score no less than the k-th. */
  readonly documents: ReadonlySet<number>;
  /** How many of them there is room for among k. */
  readonly room: number;
}

/**
 * Recall of the exact top k among the candidates of the first stage, for growing numbers of
 * candidates, on queries that the features were not learned from. Ends where all of them are found,
 * or with 8,192 candidates. Raises 'unsupported' where searches are exact anyway.
 */
export async function measureCurve(
  device: SearchDevice,
  snapshot: Snapshot,
  { queries, own }: HeldOutQueries,
  k: number,
  { signal, onProgress }: RunOptions,
): Promise<Pick<Curve, 'points' | 'queries' | 'documents' | 'k'>> {
  if (!snapshot.model) throw nothingToMeasure(snapshot);
  const count = queries.counts.length;
  const grid = candidateGrid(k, snapshot.live);
  const report = (done: number): void =>
    onProgress?.({ stage: 'tune', done, total: grid.length + 1 });
  report(0);
  const allowed = await allowedIn(snapshot, null, signal);
  const { top } = await findDocuments(device, snapshot, queries, {
    // one more, since a query's own document does not count, and some that may score as the last
    k: k + 1 + TIES,
    choice: { method: 'exact', numCandidates: allowed.count },
    allowed,
    signal,
  });
  const wanted = Array.from({ length: count }, (_, q) => wantedOf(top, q, own[q], k));
  const points: Curve['points'] = [];
  const asked = new DeviceQueries(device, queries, {
    featureMap: snapshot.model.featureMap,
    signal,
  });
  try {
    for (const [i, numCandidates] of grid.entries()) {
      report(i + 1);
      const shares = await foundShares(device, snapshot, asked, wanted, numCandidates, {
        allowed,
        signal,
      });
      const [mean, error] = meanAndError(shares);
      points.push([numCandidates, mean, error]);
      if (mean === 1) break;
    }
  } finally {
    await asked.close();
  }
  report(grid.length + 1);
  return { points, queries: count, documents: snapshot.live, k };
}

/**
 * For each query the share of its best documents that is among so many candidates; what is a
 * candidate is found, since candidates are scored exactly.
 */
async function foundShares(
  device: SearchDevice,
  snapshot: Snapshot,
  queries: DeviceQueries,
  wanted: readonly Wanted[],
  numCandidates: number,
  request: { allowed: AllowedDocuments; signal?: AbortSignal | undefined },
): Promise<number[]> {
  // one more, since a query's own document does not count
  const choice = chooseCandidates(snapshot, snapshot.live, numCandidates + 1);
  if (choice.method === 'exact') return wanted.map(() => 1);
  const source = sourceOf(device, choice);
  const answer = await source.candidates(queries, choice.numCandidates, {
    ...request,
    filter: undefined,
  });
  const lists = candidateLists(answer, queries.count) as readonly Int32Array[];
  return wanted.map(({ documents, room }, q) => {
    if (room === 0) return 1;
    let found = 0;
    for (const document of lists[q]) if (documents.has(document)) found++;
    return Math.min(room, found) / room;
  });
}

/** The mean of some values and its standard error. */
function meanAndError(values: readonly number[]): [mean: number, error: number] {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / Math.max(1, count - 1) / count)];
}

/**
 * What scores as the last of the best does is as good as it: texts that occur twice have equal
 * scores.
 */
function wantedOf(
  { indices, scores, k: width }: TopK,
  query: number,
  own: number,
  k: number,
): Wanted {
  const others = Array.from({ length: width }, (_, i) => query * width + i).filter(
    (at) => indices[at] >= 0 && indices[at] !== own,
  );
  const room = Math.min(k, others.length);
  const least = room > 0 ? scores[others[room - 1]] : 0;
  const best = others.filter((at) => scores[at] >= least).map((at) => indices[at]);
  return { documents: new Set(best), room };
}

function nothingToMeasure(snapshot: Snapshot): LemurError {
  const { why } = refitAdvice(snapshot, { documents: 0, mean: 0 }, null);
  const message =
    'tune: there is nothing to measure without features, ' +
    `exact searches find everything; ${why}`;
  return new LemurError('unsupported', message, { where: 'tune' });
}

/** k, then half as many again each time. */
function candidateGrid(k: number, documents: number): number[] {
  const grid: number[] = [];
  for (let n = k; n <= Math.min(MOST_CANDIDATES, documents); n = Math.ceil(n * 1.5)) grid.push(n);
  return grid;
}
