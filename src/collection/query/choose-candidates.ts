import type { SearchDevice } from '../../device/device.js';
import type { DeviceCodes } from '../../device/device-codes.js';
import type { CandidateSource } from '../../search/candidate-source.js';
import { exactSource } from '../../search/exact-source.js';
import type { FetchedCodes } from '../../search/prefix/best-by-codes.js';
import type { FirstStage } from '../../search/prefix/first-stage.js';
import { prefixSource, RESCORED } from '../../search/prefix/prefix-source.js';
import { queriesAtOnce } from '../../search/score-documents.js';
import type { Snapshot } from '../files/snapshot.js';
import type { CandidateCount } from './candidate-count.js';

/** With no more documents than this, or than twice the candidates, all are scored exactly. */
const EXACT_DOCUMENTS = 512;
/**
 * Documents that are looked at by full codes in one call, those of all queries together: 8 bytes
 * each.
 */
const RESCORED_AT_ONCE = 1 << 22;

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
  const stage = firstStageOf(snapshot);
  const few = passing <= Math.max(EXACT_DOCUMENTS, 2 * numCandidates);
  if (!stage || few) return { method: 'exact', numCandidates: passing };
  return { method: 'features', numCandidates, stage };
}

/** The source that answers for a choice. */
export function sourceOf(device: SearchDevice, choice: CandidateChoice): CandidateSource {
  switch (choice.method) {
    case 'exact':
      return exactSource;
    case 'features':
      return prefixSource(device, choice.stage);
    case 'source':
      return choice.source;
  }
}

/** How many queries are looked for and scored at a time, among so many documents. */
export function atOnceOf({ method, numCandidates }: CandidateChoice, documents: number): number {
  return method === 'features'
    ? Math.max(1, Math.floor(RESCORED_AT_ONCE / (RESCORED * numCandidates)))
    : queriesAtOnce(numCandidates, documents);
}

/** The model's codes of all documents; null: nothing has been learned. */
function firstStageOf({ model, codes }: Snapshot): FirstStage<DeviceCodes | FetchedCodes> | null {
  return (
    model && codes && { prefixMap: model.prefixMap, codes, queryProjection: model.queryProjection }
  );
}
