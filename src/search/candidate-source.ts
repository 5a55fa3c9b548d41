import type { RunOptions } from '../run-options.js';
import type { TokenSets } from '../tokens/token-sets.js';
import type { AllowedDocuments } from './allowed-documents.js';
import type { Candidates } from './candidate-lists.js';

/** Queries as a candidate source gets them. */
export interface CandidateQueries {
  /** Their token vectors, checked. Not to be changed. */
  readonly tokens: TokenSets;
  /** Their texts, in the same order; undefined where the queries came as token vectors. */
  readonly text: readonly string[] | undefined;
  /**
   * The learned reduction of each query to one vector, queries x d' in float32; computed when this
   * is first called. Rejects with 'unsupported' where no model has been learned.
   */
  features(): Promise<Float32Array>;
}

/** The rest of a search's question to a candidate source. */
export interface CandidateRequest<F = unknown> extends RunOptions {
  /**
   * The search's filter as the caller wrote it; undefined without one. A source may apply it, or
   * `allowed`, or leave it to the search.
   */
  readonly filter: F | undefined;
  /** The documents that are not deleted and pass the filter. */
  readonly allowed: AllowedDocuments;
}

/**
 * Finds the documents that a search then scores by exact MaxSim: an ANN library, a search engine,
 * keywords. Hits never break the search's filter and never are deleted documents, whatever a source
 * answers.
 *
 * @example
 * const keywords: CandidateSource = {
 *   name: 'keywords',
 *   candidates: ({ text }, k) =>
 *     Promise.all((text ?? []).map((query) => engine.search(query, { limit: k }))),
 * };
 * const { hits, how } = await index.search('late interaction', { candidates: keywords });
 */
export interface CandidateSource<F = unknown> {
  /** Stands in `how.source` of a result. */
  readonly name: string;
  /**
   * For each query the ids of its candidates, best first, or their numbers: documents are numbered
   * in the order in which they were added, deleted ones included until `compact`. `k` are asked
   * for; of a longer list the first k that are allowed count. Ids and numbers that are not there,
   * deleted, or occur again are skipped. Where the signal aborts, the search waits no longer.
   */
  candidates(
    queries: CandidateQueries,
    k: number,
    request: CandidateRequest<F>,
  ): Promise<CandidateAnswer>;
}

/** Candidates of each query: numbers of documents, or their ids. */
export type CandidateAnswer = Candidates | readonly (ArrayLike<number> | readonly string[])[];
