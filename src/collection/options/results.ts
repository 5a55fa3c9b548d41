import type { Metadata } from '../metadata/metadata.js';
import type { Include } from './options.js';

/** The outcome of an add, whose documents are in the collection, safe, when it resolves. */
export interface Added {
  /** Documents that are new. */
  added: number;
  /** Documents that took the place of one with their id (`onExisting: 'replace'`). */
  replaced: number;
  /** Documents that were left out, since their id was there (`onExisting: 'skip'`). */
  skipped: number;
  /** Passages that they were cut into; undefined in a collection that does not cut. */
  passages?: number | undefined;
  /**
   * Texts that had more tokens than the encoder reads, whose ends are not searched; undefined: none
   * had.
   */
  truncated?: number | undefined;
  /**
   * Why the fit at the end of this add could learn nothing, as where all documents are the same:
   * searches stay exact. undefined: it could, or none was due. It is tried again when there are
   * twice as many documents; `stats().refit.why` says so until then.
   */
  unfit?: string | undefined;
}

/** What `mirror` did, or would do; numbers of documents. */
export interface Mirrored {
  /** New ones. */
  added: number;
  /** Those that have changed; where their text is the same nothing was encoded. */
  updated: number;
  /** Those that have another id and the same content: nothing was encoded. */
  renamed: number;
  /** Those that were gone. */
  deleted: number;
  /** Those that are gone and stay, since `delete` is false; undefined: none. */
  stale?: number | undefined;
  /** Those that are as they were. */
  unchanged: number;
  /** What the source left out or could not be read; what is in the collection of it stays. */
  skipped: number;
  /** Passages that were made; undefined in a collection that does not cut. */
  passages?: number | undefined;
  /** As of `Added`. */
  truncated?: number | undefined;
  /** As of `Added`. */
  unfit?: string | undefined;
}

/** A passage of a document, in a collection that cuts documents into passages. */
export interface Passage {
  /** Its own id: that of its document, `#` and its number. */
  id: string;
  /** The id of its document. */
  source: string;
  /** From 1 on, in the order of the document. */
  number: number;
  /**
   * Where it stands in the document's text, [start, end) in UTF-16 code units; undefined where
   * token vectors came without a text.
   */
  span: readonly [number, number] | undefined;
  /** Its first and last line there, from 1 on. */
  lines: readonly [number, number] | undefined;
  /**
   * How many characters of its text are headings above it, which it repeats; what is behind them
   * is what stands there. undefined where a function made another text of it.
   */
  context: number | undefined;
}

/**
 * Which document token a query token matched best. With `mode: 'keywords'` tokens are words: there
 * is one for each different word of the query that the document has, at its first place.
 */
export interface Evidence {
  /** Number of the query's token. */
  queryToken: number;
  /**
   * Where it stands in the query, [start, end) in UTF-16 code units; undefined where the encoder
   * gave no spans.
   */
  querySpan: readonly [number, number] | undefined;
  /** Number of the document's token, as stored (after pooling). */
  token: number;
  /** Where it stands in the document's text. */
  span: readonly [number, number] | undefined;
  /** Their inner product; a hit's score is the sum of these. */
  score: number;
}

/** Parts of its document that a hit carries where `include` asks for them. */
export interface HitParts<M extends Metadata = Metadata> {
  /** The document's text; undefined where it has none. */
  text: string | undefined;
  /** The document's metadata; undefined where it has none. */
  metadata: M | undefined;
  /** For each token of the query, in order, the document's token that it matched best. */
  evidence: Evidence[];
}

/**
 * A document that was found, with the parts that `include` names. Where it is not known which
 * these are, each may be absent.
 */
export type Hit<
  M extends Metadata = Metadata,
  I extends readonly Include[] = readonly Include[],
> = {
  /** The document's id. */
  id: string;
  /**
   * Exact MaxSim with the stored token vectors: the larger, the more tokens the query has. With
   * `mode: 'keywords'` BM25, and with 'hybrid' one number of both.
   */
  score: number;
  /**
   * The score divided by the number of the query's tokens: how near, on average, each of them has
   * a token here, 1 at most where vectors have unit length. Unlike scores it compares across
   * queries of the same encoder; it is no probability, and what is near depends on the encoder.
   * With `mode: 'keywords'` the share of BM25 that a text could reach at most by these words; with
   * 'hybrid' that of the meaning.
   */
  similarity: number;
  /** With `mode: 'hybrid'`: what the score is made of. */
  parts?:
    | {
        /** Exact MaxSim. */
        meaning: number;
        /** BM25; 0 for a text without a word of the query. */
        keywords: number;
      }
    | undefined;
  /** Which passage it is; undefined in a collection that is not cut. */
  passage?: Passage | undefined;
  /**
   * With `groupBy: 'source'`: the best passages that were found of this document, best first, 3 at
   * most; all else that the hit has is the first one's, but for its id.
   */
  passages?: Hit<M, I>[] | undefined;
} & (number extends I['length']
  ? { [P in Include]?: HitParts<M>[P] | undefined }
  : Pick<HitParts<M>, I[number]>);
