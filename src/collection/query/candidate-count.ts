import { LemurError } from '../../errors.js';
import { showValue } from '../../value-kind.js';
import type { Snapshot } from '../files/snapshot.js';
import { checkRecall, invalid } from '../options/check-options.js';
import { candidatesFor } from './recall-curve.js';

/** Candidates of a search that says nothing, before `tune`. */
const DEFAULT_CANDIDATES = 200;

/** How many candidates a search takes; null: exact search. */
export function candidatesOf(
  snapshot: Snapshot,
  k: number,
  numCandidates: number | undefined,
  recall: number | undefined,
): number | null {
  const curve = snapshot.manifest.model?.curve;
  if (numCandidates !== undefined) {
    if (recall !== undefined)
      throw invalid('recall', 'expected either numCandidates or recall, got both');
    if (!Number.isSafeInteger(numCandidates) || numCandidates < k)
      throw invalid(
        'numCandidates',
        `expected an integer of at least k, ${k}, got ${showValue(numCandidates)}`,
      );
    return numCandidates;
  }
  if (recall === undefined) {
    if (!curve) return Math.max(DEFAULT_CANDIDATES, 2 * k);
    const found = candidatesFor(curve, curve.target);
    return found && Math.max(found, k);
  }
  checkRecall(recall);
  // without a model every search is exact
  if (!snapshot.model) return k;
  if (!curve)
    throw new LemurError(
      'unsupported',
      'recall: how many candidates it takes has not been measured: call tune() once',
      {
        where: 'recall',
      },
    );
  const found = candidatesFor(curve, recall);
  return found && Math.max(found, k);
}
