import type { SearchDevice } from '../../device/device.js';
import type { CandidateSource } from '../../search/candidate-source.js';
import { exactSource } from '../../search/exact-source.js';
import { prefixSource, RESCORED } from '../../search/prefix/prefix-source.js';
import type { SearchedDocuments } from '../../search/prefix/whole-search.js';
import { queriesAtOnce } from '../../search/score-documents.js';
import type { Snapshot } from '../files/snapshot.js';
import type { CandidateChoice } from './choose-candidates.js';

/**
 * Documents that are looked at by full codes in one call, those of all queries together: 8 bytes
 * each.
 */
const RESCORED_AT_ONCE = 1 << 22;

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

/** What a search by the learned reduction looks at; null: another search, or some is fetched. */
export function onDevice({ tokens }: Snapshot, choice: CandidateChoice): SearchedDocuments | null {
  if (choice.method !== 'features' || 'fetch' in tokens) return null;
  const { prefixMap, codes, queryProjection } = choice.stage;
  return 'fetch' in codes ? null : { stage: { prefixMap, codes, queryProjection }, tokens };
}

/** How many queries are looked for and scored at a time, among so many documents. */
export function atOnceOf({ method, numCandidates }: CandidateChoice, documents: number): number {
  return method === 'features'
    ? Math.max(1, Math.floor(RESCORED_AT_ONCE / (RESCORED * numCandidates)))
    : queriesAtOnce(numCandidates, documents);
}
