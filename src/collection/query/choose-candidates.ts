import type { DeviceCodes } from '../../device/device-codes.js';
import type { CandidateSource } from '../../search/candidate-source.js';
import type { FetchedCodes } from '../../search/prefix/best-by-codes.js';
import type { FirstStage } from '../../search/prefix/first-stage.js';
import type { Snapshot } from '../files/snapshot.js';
import type { CandidateCount } from './candidate-count.js';

/** With no more documents than this, or than twice the candidates, all are scored exactly. */
export const EXACT_DOCUMENTS = 512;

/** Where the candidates of a search come from, and how many there are of each query. */
export type CandidateChoice =
  /** All documents that pass. */
  | { readonly method: 'exact'; readonly numCandidates: number }
  /** The learned reduction. */
  | {
      readonly method: 'features';
      readonly numCandidates: number;
      readonly stage: FirstStage<DeviceCodes | FetchedCodes>;
    }
  /** The source that the caller gave. */
  | { readonly method: 'source'; readonly numCandidates: number; readonly source: CandidateSource };

/**
 * The given source where there is one. Else the learned reduction, and all of the `passing`
 * documents where nothing has been learned, where all are wanted, and where they are so few that
 * choosing among them takes longer.
 */
export function chooseCandidates(
  snapshot: Snapshot,
  passing: number,
  wanted: CandidateCount,
  source?: CandidateSource | undefined,
): CandidateChoice {
  const numCandidates = wanted === 'all' ? passing : wanted;
  if (source) return { method: 'source', numCandidates, source };
  const stage = learnedStage(snapshot);
  const few = passing <= Math.max(EXACT_DOCUMENTS, 2 * numCandidates);
  if (!stage || few) return { method: 'exact', numCandidates: passing };
  return { method: 'features', numCandidates, stage };
}

/** The model's codes of all documents; null: nothing has been learned. */
function learnedStage({ model, codes }: Snapshot): FirstStage<DeviceCodes | FetchedCodes> | null {
  return (
    model && codes && { prefixMap: model.prefixMap, codes, queryProjection: model.queryProjection }
  );
}
