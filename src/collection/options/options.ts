import type { DeviceOptions } from '../../device/default-device.js';
import type { Encoder } from '../../encoder/encoder.js';
import type { FitOptions } from '../../learn/learn-options.js';
import type { CutFunction, PassageOptions } from '../../passages/passage-rules.js';
import type { RunOptions } from '../../run-options.js';
import type { CandidateSource } from '../../search/candidate-source.js';
import type { Precision } from '../../tokens/encodings.js';
import type { TokenMatrix } from '../../tokens/token-matrix.js';
import type { TokenInput } from '../../tokens/token-sets.js';
import type { Features } from '../files/manifest.js';
import type { Filter } from '../metadata/filter.js';
import type { Metadata } from '../metadata/metadata.js';

/** How a collection is made. */
export interface CreateOptions extends DeviceOptions {
  /**
   * Turns texts into token vectors: an encoder, or in Node an id of the hub (`owner/name`) or a
   * checkpoint's folder, which is loaded now and closed with the index. Without one (`false` says
   * so), documents and queries come as token vectors, and `dim` is needed.
   */
  encoder?: Encoder | string | URL | false | undefined;
  /** Dimension of the token vectors, at most 65,536; the encoder's by default. */
  dim?: number | undefined;
  /**
   * How token vectors are stored. `int8` (default): a byte a value, less the collection's mean
   * token and by a factor for each document: a quarter of the bytes, and a recall of .993 or more
   * of the exact top 10 on the collections that were measured. `int4` and `int2`: half a byte and a
   * quarter of one a value and two bytes a token; recall .97 and .91, and the exact top 10 is
   * among the best 20 (docs/benchmarks/precision.md).
   */
  precision?: Precision | undefined;
  /**
   * Merges each document's token vectors into this part of them, an integer of at least 1. Default
   * 1: all are kept.
   */
  pooling?: number | undefined;
  /**
   * How candidates are found. `auto` (default): by exact MaxSim of all documents while they are
   * few; `add` fits random features once there are 4,096, and `fit` trains. `exact`, `random`,
   * `trained`: that way whatever the size; the last two from `fit` on.
   */
  features?: Features | undefined;
  /**
   * Cuts documents that come as texts into passages, which are encoded, found and stored one by
   * one: as the options say, or by a function. Kept in the collection, a function aside. Default:
   * documents stay whole, and what is behind the tokens that the encoder reads is not searched.
   */
  passages?: PassageOptions | CutFunction | undefined;
  /**
   * Whether words of texts can be looked for, with `mode: 'keywords'` and 'hybrid'. Default true:
   * some 20 bytes for each 100 of text (docs/benchmarks/keywords.md). `compact` takes it too.
   */
  keywords?: boolean | undefined;
  /**
   * Bytes of token vectors and codes, an integer of at least 0, that stay in memory once a search
   * has read them from files and found them undamaged: the next ones take them from there. Default
   * 256 MiB; 0: none stay.
   */
  cacheBytes?: number | undefined;
  /** Stops the call, which then rejects with the signal's reason, whatever the storage does. */
  signal?: AbortSignal | undefined;
}

/** How a collection is opened. */
export interface OpenOptions extends DeviceOptions {
  /**
   * Whether it can be changed. One writer at a time has a collection. Default false: any number of
   * readers.
   */
  write?: boolean | undefined;
  /**
   * Default: the one that the collection was made with, where that is known, which is loaded when
   * the first text comes. An encoder must be that one by `id`; another precision of it may ask
   * questions and add nothing. In Node an id of the hub or a folder says where its model is by now.
   * `false`: none, and nothing is loaded.
   */
  encoder?: Encoder | string | URL | false | undefined;
  /**
   * A reader whose every call first takes over what a writer has committed, as `refresh` does: a
   * read of the manifest for calls that come at once. `size`, `dim` and `stats` tell the state of
   * the last one. Default false.
   */
  follow?: boolean | undefined;
  /** The function that cuts texts, of a collection that was made with one, for adding to it. */
  passages?: CutFunction | undefined;
  /**
   * Bytes of token vectors and codes, an integer of at least 0, that stay in memory once a search
   * has read them from files and found them undamaged: the next ones take them from there. Default
   * 256 MiB; 0: none stay.
   */
  cacheBytes?: number | undefined;
  /** Stops the call, which then rejects with the signal's reason, whatever the storage does. */
  signal?: AbortSignal | undefined;
}

/** How documents are added. */
export interface AddOptions extends RunOptions {
  /**
   * What happens to a document whose id is there already: `error` (default), `skip` it before it is
   * encoded, or `replace` the old one.
   */
  onExisting?: 'error' | 'skip' | 'replace' | undefined;
  /** Documents that will come, for `onProgress`; known by itself for arrays. */
  total?: number | undefined;
  /**
   * Whether `features: 'auto'` may fit random features at the end, which takes about as long as
   * `fit` without training. Default true.
   */
  fit?: boolean | undefined;
}

/** How a collection is brought in step with a source. */
export interface MirrorOptions extends RunOptions {
  /**
   * Whether documents go that came from the same root and are no longer there. Default true; false
   * adds, updates and renames alone.
   */
  delete?: boolean | undefined;
  /**
   * Goes on where the source is empty, or more than half of what is recorded under its root is
   * gone, which is an error otherwise. Default false.
   */
  force?: boolean | undefined;
  /** Finds out what would be done, and writes nothing. A reader may do that too. Default false. */
  dryRun?: boolean | undefined;
  /**
   * Whether a collection that has no document yet and was made without `passages` cuts documents
   * from now on, where the source asks for it, as a folder's does. Default true.
   */
  passages?: boolean | undefined;
}

/** What is rewritten. */
export interface CompactOptions extends RunOptions {
  /**
   * Whether words of texts can be looked for from now on: makes what searches by keywords need of
   * all texts, or drops it. Default: as before, and what is missing is made.
   */
  keywords?: boolean | undefined;
}

/** What a hit carries besides id and score. */
export type Include = 'text' | 'metadata' | 'evidence';

/** What `include` adds to hits where a call does not say. */
export type DefaultInclude = readonly ['text', 'metadata'];

/** What a search ranks by. */
export type SearchMode = 'meaning' | 'keywords' | 'hybrid';

/** How a search goes, and what its hits carry. */
export interface SearchOptions<
  M extends Metadata = Metadata,
  I extends readonly Include[] = readonly Include[],
> extends RunOptions {
  /** Hits at most: documents, or with `groupBy` the documents that passages are of. Default 10. */
  k?: number | undefined;
  /**
   * Documents that are reranked by exact MaxSim; at least k. Default: what `tune` found for its
   * target, else 200.
   */
  numCandidates?: number | undefined;
  /**
   * Instead of `numCandidates`: the share of the exact top k to find, by the curve that `tune` has
   * measured.
   */
  recall?: number | undefined;
  /**
   * What documents are ranked by. `meaning` (default): token vectors. `keywords`: the words that
   * they share with the query, a text, by BM25 among all documents that pass; it needs no encoder,
   * and takes neither candidates nor a recall. `hybrid`: both, the best of either scored by both.
   */
  mode?: SearchMode | undefined;
  /** Only documents whose metadata passes. */
  filter?: Filter<M> | undefined;
  /**
   * What hits carry besides id and score, and what their type has; default: text and metadata.
   * These take a read for each hit, evidence takes the token vectors too.
   */
  include?: I | undefined;
  /**
   * `source`: a hit for each document that passages are of, with its best passages. As many are
   * ranked, and so many candidates taken, that there are k documents where so many pass. Where a
   * collection is not cut, each document is its only passage.
   */
  groupBy?: 'source' | undefined;
  /** Scores all documents by exact MaxSim. */
  exact?: boolean | undefined;
  /**
   * Finds the documents that are scored, instead of the collection itself: an ANN library, another
   * engine, keywords. It is asked for `numCandidates` (default: 200, or 2 k) of each query.
   */
  candidates?: CandidateSource<Filter<M>> | undefined;
}

/**
 * How documents that were found elsewhere are scored: as `search` takes it, k is all by default.
 */
export type RerankOptions<I extends readonly Include[] = readonly Include[]> = Pick<
  SearchOptions<Metadata, I>,
  'k' | 'include' | 'signal'
>;

/** A text, where the index has an encoder, or token vectors. */
export type Query = string | TokenMatrix;

/** What `tune` measures. */
export interface TuneOptions extends RunOptions {
  /** Share of the exact top k that searches aim at from now on. Default 0.95. */
  recall?: number | undefined;
  /** How many of the exact best are to be found. Default 10. */
  k?: number | undefined;
  /**
   * Held-out queries, the more like real ones the better: texts or token vectors. Default: drawn
   * from the collection.
   */
  queries?: readonly string[] | TokenInput | undefined;
  /** Queries that are drawn, or taken of those given; at most 100,000. Default 200. */
  sample?: number | undefined;
  /**
   * What queries are drawn by, an integer of at least 0; the same seed draws the same. Default 0.
   */
  seed?: number | undefined;
}

/** Those of `Lemur.fit`, and what is learned from. */
export interface FitIndexOptions extends Omit<FitOptions, 'threads' | 'device' | 'learn'> {
  /**
   * Real queries, texts or token vectors. Default: with an encoder texts of the collection, read as
   * queries are; without one token vectors of the documents.
   */
  learn?: TokenInput | readonly string[] | undefined;
}
