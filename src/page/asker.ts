import type { StoredText } from '../collection/get.js';
import type { Filter } from '../collection/metadata/filter.js';
import type { SearchMode } from '../collection/options/options.js';
import type { Hit } from '../collection/options/results.js';
import type { Field } from '../collection/query/describe-fields.js';
import type { Highlight } from '../collection/query/highlight.js';

/** What a page needs to know of a collection. */
export interface About {
  /** Documents, or passages where these are cut. */
  readonly documents: number;
  /** Documents, each once. */
  readonly sources: number;
  /** Whether documents are cut into passages. */
  readonly isCut: boolean;
  /** Ways that a question can be asked, the best one first; none where texts cannot be. */
  readonly modes: readonly SearchMode[];
  /** What its documents can be filtered by. */
  readonly fields: readonly Field[];
}

/** How a question is asked. */
export interface AskOptions {
  readonly collection: string;
  /** Hits at most. */
  readonly k: number;
  readonly mode: SearchMode;
  readonly filter?: Filter | undefined;
  /** A hit for each document, with its best passages. */
  readonly bySource: boolean;
  /** Whether hits have their texts, for the line of what matched. */
  readonly texts: boolean;
  readonly signal: AbortSignal;
}

/** A hit as it is drawn. */
export type Found = Omit<Hit, 'evidence' | 'passages'> & {
  readonly highlight?: Highlight | undefined;
  readonly passages?: readonly Found[] | undefined;
};

/**
 * Whom a page asks: a server, or an index in the page itself. All of it rejects with `AskError`, or
 * with the reason of the signal.
 */
export interface Asker {
  /** Names of the collections that there are. */
  collections(signal: AbortSignal): Promise<readonly string[]>;
  about(collection: string, signal: AbortSignal): Promise<About>;
  ask(query: string, options: AskOptions): Promise<readonly Found[]>;
  /** Documents or passages by their ids; null for those that are not there. */
  read(
    collection: string,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (StoredText | null)[]>;
}

/**
 * Why there is no answer: `key`: none was given, or a wrong one; `busy`: again in a while;
 * `lacking`: it cannot read questions by their meaning; `unreachable`; or another.
 */
export type AskProblem = 'key' | 'busy' | 'lacking' | 'unreachable' | 'other';

export class AskError extends Error {
  readonly problem: AskProblem;

  constructor(problem: AskProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
