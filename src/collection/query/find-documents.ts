import type { SearchDevice } from '../../device/device.js';
import type { RunOptions } from '../../run-options.js';
import type { AllowedDocuments } from '../../search/allowed-documents.js';
import { candidateLists } from '../../search/candidate-lists.js';
import type { CandidateAnswer } from '../../search/candidate-source.js';
import { answerInParts } from '../../search/device-queries.js';
import { wholeSearch } from '../../search/prefix/whole-search.js';
import type { TopK } from '../../search/top-documents.js';
import type { TokenSets } from '../../tokens/token-sets.js';
import type { Snapshot } from '../files/snapshot.js';
import type { Filter } from '../metadata/filter.js';
import type { CandidateChoice } from './choose-candidates.js';
import { atOnceOf, onDevice, sourceOf } from './chosen-source.js';
import { rerank } from './rerank.js';

export interface FindOptions extends RunOptions {
  k: number;
  choice: CandidateChoice;
  allowed: AllowedDocuments;
  /** As the caller wrote it, for sources that apply it themselves. */
  filter?: Filter | undefined;
  /** Texts of the queries, where they came as texts. */
  text?: readonly string[] | undefined;
}

export interface Found {
  /** Numbers of documents; -1 where there are fewer than k. */
  readonly top: TopK;
  /** Documents that were scored, of each query. */
  readonly scored: Int32Array;
}

/**
 * The k best documents of each query by exact MaxSim among the candidates of the source that was
 * chosen: a part of the queries after the other, each of which is uploaded once. Where all that is
 * looked at is on the device, a part is one call of it.
 */
export async function findDocuments(
  device: SearchDevice,
  snapshot: Snapshot,
  queries: TokenSets,
  { k, choice, allowed, filter, text, signal, onProgress }: FindOptions,
): Promise<Found> {
  const source = sourceOf(device, choice);
  const searched = onDevice(snapshot, choice);
  const atOnce = atOnceOf(choice, snapshot.documents);
  const total = queries.counts.length;
  const scored = new Int32Array(total);
  const options = { featureMap: snapshot.model?.featureMap, text, signal };
  const top = await answerInParts(device, queries, k, atOnce, options, async (part, from) => {
    onProgress?.({ stage: 'search', done: from, total });
    if (searched) {
      const depths = { candidates: choice.numCandidates, k };
      const found = await wholeSearch(device, searched, part, { ...depths, allowed, signal });
      scored.set(found.scored, from);
      return found.top;
    }
    const request = { filter, allowed, signal };
    const answer = await source.candidates(part, choice.numCandidates, request);
    const lists = rowLists(answer, part.count);
    for (const [i, list] of lists.entries()) scored[from + i] = list.length;
    return rerank(device, snapshot, part, lists, k, signal);
  });
  onProgress?.({ stage: 'search', done: total, total });
  return { top, scored };
}

/** Numbers of documents of each query, from a source of our own, without -1 at the end. */
function rowLists(answer: CandidateAnswer, queries: number): readonly Int32Array[] {
  const lists = candidateLists(answer, queries) as readonly Int32Array[];
  return lists.map((list) =>
    list.length > 0 && list[list.length - 1] < 0 ? list.filter((row) => row >= 0) : list,
  );
}
