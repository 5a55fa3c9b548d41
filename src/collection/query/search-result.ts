import type { Metadata } from '../metadata/metadata.js';
import type { Include } from '../options/options.js';
import type { Hit } from '../options/results.js';

/** How an answer was found. */
export interface SearchMethod {
  /**
   * `exact`: every document that passes was scored by MaxSim; `features`: the candidates of the
   * learned reduction were; `source`: those of the source that the search was given. `keywords`:
   * no document was, in a search by keywords.
   */
  method: 'exact' | 'features' | 'source' | 'keywords';
  /**
   * What documents were ranked by where that is not the meaning alone; in a hybrid search `method`
   * says how those that are near in meaning were found.
   */
  mode?: 'keywords' | 'hybrid' | undefined;
  /** Name of the source that the search was given; undefined: none was. */
  source?: string | undefined;
  /** Documents that were scored: by exact MaxSim, or those that have a word of the query. */
  candidates: number;
  /** Documents that pass the filter; all without one. */
  passing: number;
  /** Documents in the collection. */
  documents: number;
}

/** The answer to a query: hits, best first, and how they were found. */
export interface SearchResult<
  M extends Metadata = Metadata,
  I extends readonly Include[] = readonly Include[],
> {
  /** At most k, by descending score; documents with the same score in the order of the index. */
  hits: Hit<M, I>[];
  /** Where the candidates came from, and how many documents were looked at. */
  how: SearchMethod;
}
