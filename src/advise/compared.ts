import type { Latency } from './latency.js';

/** How documents are found. */
export type AdviceMethod =
  /** MaxSim of all documents. */
  | 'exact'
  /** The learned reduction with a trained network. */
  | 'trained'
  /** The same with a network as it was drawn at random. */
  | 'random'
  /** A MUVERA fixed dimensional encoding of each document. */
  | 'muvera'
  /** The mean of each document's token vectors. */
  | 'pooled'
  /** BM25. */
  | 'keywords'
  /** The index's hybrid search. */
  | 'hybrid';

/** Grades of documents by their ids, above 0 where they are relevant to a query. */
export type Judgements = ReadonlyMap<string, number>;

/** One way to search, as it was measured. */
export interface ComparedSearch {
  /** How documents are found. */
  method: AdviceMethod;
  /** The method with what tells it from others of its kind, such as `exact MaxSim, int8`. */
  name: string;
  /** Documents that are scored exactly; null: all, or none. */
  numCandidates: number | null;
  /** Share of the exact best k that is among the k found, over all queries. */
  recall: number;
  /** nDCG at k by the judgements, over the judged queries; null where none is judged. */
  ndcg: number | null;
  /** Milliseconds of one query, without encoding its text. */
  latency: Latency;
  /** What is kept of each document to find candidates by, in bytes; null: nothing. */
  stageBytes: number | null;
  /** What is kept of each token vector, in bytes; null: none is looked at. */
  tokenBytes: number | null;
}
