import { invalidArgument, LemurError } from '../../errors.js';
import { showValue } from '../../value-kind.js';
import type { Snapshot } from '../files/snapshot.js';
import { checkRecall } from '../options/check-options.js';
import type { SearchOptions } from '../options/options.js';
import { candidatesFor } from './recall-curve.js';

/** Candidates of a search that says nothing, before `tune`. */
const DEFAULT_CANDIDATES = 200;

type CandidateOptions = Pick<SearchOptions, 'numCandidates' | 'recall' | 'exact'> & {
  candidates?: unknown;
};

/** Candidates of each query; `all`: every document that passes. */
export type CandidateCount = number | 'all';

/**
 * How many candidates a search asks for: what it says, what the measured curve says of the recall
 * that it wants, or else the default. Raises 'invalid-argument', and 'unsupported' for a recall
 * that has not been measured.
 */
export function candidateCount(
  snapshot: Snapshot,
  k: number,
  { numCandidates, recall, exact, candidates }: CandidateOptions = {},
): CandidateCount {
  if (candidates !== undefined) checkGiven({ recall, exact });
  if (numCandidates !== undefined) {
    if (recall !== undefined)
      throw invalidArgument('recall', 'expected either numCandidates or recall, got both');
    if (!Number.isSafeInteger(numCandidates) || numCandidates < k)
      throw invalidArgument(
        'numCandidates',
        `expected an integer of at least k, ${k}, got ${showValue(numCandidates)}`,
      );
    return exact ? 'all' : numCandidates;
  }
  if (recall !== undefined) checkRecall(recall);
  const measured = measuredCount(snapshot, k, candidates === undefined, recall);
  return exact ? 'all' : measured;
}

/** By the curve, for a recall or, where none is wanted, its own target. */
function measuredCount(
  { model, manifest }: Snapshot,
  k: number,
  ofModel: boolean,
  recall: number | undefined,
): CandidateCount {
  // without a model every search is exact
  if (recall !== undefined && !model) return 'all';
  const curve = ofModel ? manifest.model?.curve : undefined;
  if (curve) {
    const found = candidatesFor(curve, recall ?? curve.target);
    return found === null ? 'all' : Math.max(found, k);
  }
  if (recall === undefined) return Math.max(DEFAULT_CANDIDATES, 2 * k);
  const message = 'recall: how many candidates it takes has not been measured: call tune() once';
  throw new LemurError('unsupported', message, { where: 'recall' });
}

/** Raises 'invalid-argument' for what only goes with candidates of the collection's own. */
function checkGiven({ recall, exact }: Pick<SearchOptions, 'recall' | 'exact'>): void {
  if (exact) throw invalidArgument('candidates', 'expected either candidates or exact, got both');
  if (recall !== undefined)
    throw invalidArgument(
      'recall',
      'expected numCandidates with a source of candidates, whose recall is not measured',
    );
}
