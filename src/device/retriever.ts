import type { RunOptions } from '../run-options.js';
import type { TokenSets } from '../tokens/token-sets.js';
import type { DeviceCodes } from './device-codes.js';
import type { DeviceFeatureMap } from './device-feature-map.js';
import type { DeviceTokens } from './device-tokens.js';
import type { Tensor } from './memory.js';

/** Which rows a search may return. */
export interface TopOptions extends RunOptions {
  /** One value a row, 0: the row is left out; default: none is. */
  allowed?: Tensor<'i8'> | null | undefined;
}

export interface TopCodesOptions extends TopOptions {
  /** Of codes with lengths: <mean - base, q> for each query. */
  shifts?: Tensor<'f32'> | null | undefined;
}

/** Queries as token vectors, and how they become features and prefixes. */
export interface TokenQueries {
  featureMap: DeviceFeatureMap;
  tokens: DeviceTokens;
  /** prefixDim x d'. */
  projection: Tensor<'f32'>;
  /** d' each, for codes with lengths: shifts are <mean - base, q>. */
  means: { mean: Float32Array; base: Float32Array } | null;
}

export interface ScoreOptions extends RunOptions {
  /**
   * How many of each query's scores are wanted, the largest: documents that are certainly not among
   * them may get -Infinity instead of theirs. Default: all are.
   */
  best?: number | undefined;
}

/** The best rows of each query: queries x k. */
export interface TopRows {
  indices: Int32Array;
  scores: Float32Array;
}

/** What a search of token vectors goes by: `TokenQueries` without the queries. */
export interface DocumentSearch extends Omit<TokenQueries, 'tokens'> {
  codes: DeviceCodes;
  /** A text for each row of the codes. */
  documents: DeviceTokens;
}

/** How many documents of each query are looked at. */
export interface SearchDepths {
  /** By full codes. */
  rescored: number;
  /** By exact MaxSim. */
  candidates: number;
  /** And are the answer. */
  k: number;
}

/** The best documents by exact MaxSim. */
export interface FoundDocuments extends TopRows {
  /** Candidates that each query had. */
  scored: Int32Array;
}

/** How weights become codes. */
export interface EncodeRowsArgs {
  /** rows x d'. */
  w: Tensor<'f32'>;
  /** d': minus the mean row. */
  negativeMean: Tensor<'f32'>;
  /** prefixDim x d'. */
  projection: Tensor<'f32'>;
  /** What a code of the prefix is worth. */
  step: number;
  /**
   * One relative length for each row and the base (d') that they are taken from: what is encoded is
   * base + (w - base) / length. Default null: w.
   */
  lengths?: { relative: Tensor<'f32'>; base: Tensor<'f32'> } | null | undefined;
}

/**
 * What finds documents for queries. Results depend on the inputs alone, not on the number of
 * threads nor on where the values lie. A call that reads values in a file rejects with 'bad-file'
 * where they differ from their checks; the device goes on working.
 */
export interface Retriever {
  /** out (queries x d'): sum of psi over the tokens of each query. */
  queryFeatures(
    featureMap: DeviceFeatureMap,
    queries: DeviceTokens,
    out: Tensor<'f32'>,
    options?: RunOptions,
  ): Promise<void>;
  /** out (rows x columns) = A B^T, A rows x dim, B columns x dim. */
  innerProducts(
    a: Tensor<'f32'>,
    rows: number,
    b: Tensor<'f32'>,
    columns: number,
    dim: number,
    out: Tensor<'f32'>,
    options?: RunOptions,
  ): Promise<void>;
  /**
   * Prefixes and full codes of weights: round(projection (w - mean) / step) within -127 .. 127, and
   * (w - mean) by a scale for each row.
   */
  encodeRows(
    args: EncodeRowsArgs,
    rows: number,
    dim: number,
    prefixDim: number,
    options?: RunOptions,
  ): Promise<DeviceCodes>;
  /**
   * For each query the `rescored` allowed rows with the best prefixes, and of these the k best by
   * full codes, best first, ties by the lower row; short rows end in -1. Scores estimate <w - mean,
   * q>, or <w - base, q> of codes with lengths. `queries` count x d', `prefixes` count x prefixDim.
   */
  topCodes(
    documents: DeviceCodes,
    queries: Tensor<'f32'>,
    prefixes: Tensor<'f32'>,
    count: number,
    rescored: number,
    k: number,
    options?: TopCodesOptions,
  ): Promise<TopRows>;
  /**
   * `topCodes` of queries that come as token vectors: their features, the prefixes of these by
   * `projection` (prefixDim x d'), scan and rescoring in one call, with the same answers as step by
   * step.
   */
  topCodesOfTokens(
    documents: DeviceCodes,
    queries: TokenQueries,
    rescored: number,
    k: number,
    options?: TopOptions,
  ): Promise<TopRows & { features: Float32Array }>;
  /**
   * `topCodesOfTokens` of queries for `candidates` rows, and of these the k best by exact MaxSim
   * with their documents, ties by the order of the candidates, in one call.
   */
  searchDocuments(
    search: DocumentSearch,
    queries: TokenSets,
    depths: SearchDepths,
    options?: TopOptions,
  ): Promise<FoundDocuments>;
  /**
   * The k allowed rows of w (rows x dim) with the largest inner product with each query, best
   * first, ties by the lower row; short rows end in -1.
   */
  topInnerProducts(
    queries: Tensor<'f32'>,
    count: number,
    w: Tensor<'f32'>,
    rows: number,
    dim: number,
    k: number,
    options?: TopOptions,
  ): Promise<TopRows>;
  /** out (queries x documents) = exact MaxSim; queries float32. */
  maxSim(
    queries: DeviceTokens,
    documents: DeviceTokens,
    out: Tensor<'f32'>,
    options?: ScoreOptions,
  ): Promise<void>;
  /**
   * out[i] = exact MaxSim of each query with candidates[i], i from candidateOffsets[q] to
   * candidateOffsets[q + 1].
   */
  maxSimSubset(
    queries: DeviceTokens,
    documents: DeviceTokens,
    candidates: Tensor<'i32'>,
    candidateOffsets: Int32Array,
    out: Tensor<'f32'>,
    options?: ScoreOptions,
  ): Promise<void>;
}
