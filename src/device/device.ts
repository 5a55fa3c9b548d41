import type { RunOptions } from '../run-options.js';
import type { FeatureLayout } from './feature-layout.js';

export type DType = 'f32' | 'f64' | 'i32' | 'i16' | 'i8';
export type TypedArray = Float32Array | Float64Array | Int32Array | Int16Array | Int8Array;
export type TypedArrayOf<D extends DType> = {
  f32: Float32Array;
  f64: Float64Array;
  i32: Int32Array;
  i16: Int16Array;
  i8: Int8Array;
}[D];

/** A handle to `length` values that live on the device. Plain data: it may be sent to workers. */
export interface Tensor<D extends DType = DType> {
  readonly id: number;
  readonly dtype: D;
  readonly length: number;
}

/** Values in a file that the workers can read. */
export interface FileValues {
  /**
   * The system's number of the open file; stays open while the tensor lives and while calls that
   * were given it are under way.
   */
  descriptor: number;
  /** Byte where the values begin (any alignment). */
  offset: number;
  /** The file's name, for errors. */
  name: string;
}

/** How an upload is kept. */
export interface UploadOptions {
  /**
   * For what every query reads, such as prefixes: where the device computes fastest, whatever its
   * size, while there is room; default false.
   */
  resident?: boolean | undefined;
}

/** Which rows a search may return. */
export interface TopOptions extends RunOptions {
  /** One value a row, 0: the row is left out; default: none is. */
  allowed?: Tensor<'i8'> | null | undefined;
}

export interface TopCodesOptions extends TopOptions {
  /** Of codes with scales: <mean - base, q> for each query. */
  shifts?: Tensor<'f32'> | null | undefined;
}

export interface TargetsOptions extends RunOptions {
  /** What the targets of each column are divided by, all above 0; default: 1. */
  scales?: Tensor<'f32'> | null | undefined;
}

/**
 * Texts on the device: vectors (rows x dim), counts (texts) and, since offsets are needed
 * everywhere, row offsets (texts + 1, float64). Documents may be int8 with a factor for each text
 * and a mean that was taken off all: value = code x factor + mean. The vectors of documents may lie
 * in files (`attach`), or in several tensors as one (`concat`); all else is small and plain.
 */
export interface DeviceTokens {
  readonly vectors: Tensor<'f32'> | Tensor<'i8'>;
  readonly counts: Tensor<'i32'>;
  readonly offsets: Tensor<'f64'>;
  /** What a code of each text is worth; null for float32. */
  readonly factors: Tensor<'f32'> | null;
  /** dim values; null for float32. */
  readonly mean: Tensor<'f32'> | null;
  /**
   * CRC-32 of the bytes of each text's vectors as they lie (little-endian), as int32. Texts that
   * are read from a file are held to it; one that differs is a 'bad-file'. Null: nothing is
   * checked.
   */
  readonly checks: Tensor<'i32'> | null;
  readonly documents: number;
  readonly dim: number;
  /** The longest text, in tokens. */
  readonly longest: number;
}

/** A feature map on the device. */
export interface DeviceFeatureMap {
  readonly layout: FeatureLayout;
  readonly parameters: Tensor<'f32'>;
  /**
   * Whether it has learned from vectors of length 1: the features of a query are then |x| psi(x /
   * |x|), as its inner products grow with |x|. Default false.
   */
  readonly unit?: boolean | undefined;
}

/**
 * Everything one training run keeps on the device. The parameters are those of the feature map
 * followed by the head, outputs x d'.
 */
export interface Training {
  readonly layout: FeatureLayout;
  /** m': documents that the head predicts. */
  readonly outputs: number;
  /** Rows of the largest batch. */
  readonly batchSize: number;
  readonly parameters: Tensor<'f32'>;
  readonly gradients: Tensor<'f32'>;
  readonly firstMoment: Tensor<'f32'>;
  readonly secondMoment: Tensor<'f32'>;
  /** Activations and gradients of a batch, laid out as the device likes. */
  readonly batch: Tensor<'f32'>;
  /** Loss and gradient-norm sums by block. */
  readonly partials: Tensor<'f64'>;
  /**
   * Codes of the matrices and of the batch, and what they are worth; null where products are in
   * float32.
   */
  readonly codes: Tensor<'i16'> | null;
  readonly factors: Tensor<'f32'> | null;
}

/** One step of Adam on one batch. */
export interface TrainStep {
  /** Learn tokens, rows x d. */
  readonly x: Tensor<'f32'>;
  /** Raw targets, rows x m'. */
  readonly targets: Tensor<'f32'>;
  readonly mean: number;
  readonly std: number;
  /** Order of the rows in this epoch; the batch is order[from .. from + rows). */
  readonly order: Tensor<'i32'>;
  readonly from: number;
  readonly rows: number;
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  /** 1 - beta1^step and 1 - beta2^step. */
  readonly correction1: number;
  readonly correction2: number;
  readonly eps: number;
  /** Largest norm of the gradient; null: no clipping. */
  readonly gradClip: number | null;
}

/**
 * Least squares of documents: a solve sample, its features and their factor, and where the weights
 * go.
 */
export interface DocumentWeightsArgs {
  /** rows x d. */
  x: Tensor<'f32'>;
  /** rows x d'. */
  z: Tensor<'f32'>;
  rows: number;
  /** L, d' x d'. */
  factor: Tensor<'f64'>;
  latentDim: number;
  documents: DeviceTokens;
  mean: number;
  std: number;
  /** documents x d'. */
  out: Tensor<'f32'>;
}

/**
 * Document weights as the first stage reads them: what `encodeRows` makes, or put together from
 * what it made before: upload the prefix (`resident`: every query reads all of it) and the factors,
 * attach or upload the codes, upload the checks. Over several segments `prefix` and `codes` are
 * concats of theirs, `factors` and `checks` plain tensors of all rows.
 */
export interface DeviceCodes {
  readonly rows: number;
  /** d'. */
  readonly dim: number;
  readonly prefixDim: number;
  /** rows x prefixDim: the leading coordinates of the balanced weights, all by one scale. */
  readonly prefix: Tensor<'i8'>;
  /** rows x d': the centred weights, each row by a factor of its own. */
  readonly codes: Tensor<'i8'>;
  /** What a code of each row of `codes` is worth. */
  readonly factors: Tensor<'f32'>;
  /**
   * CRC-32 of each row of `codes`, as int32, which rows that are read from a file are held to;
   * null: nothing is checked.
   */
  readonly checks: Tensor<'i32'> | null;
  /**
   * Where the codes of some rows are of other rows u than those of W: w = base + scale (u - base).
   * Default null: of none.
   */
  readonly scaling?: CodeScaling | null | undefined;
}

export interface CodeScaling {
  /** One for each row, at least 0. */
  readonly scales: Tensor<'f32'>;
  /** What a code of a prefix is worth. */
  readonly step: number;
}

/** How weights become codes. */
export interface EncodeRowsArgs {
  /** rows x d'. */
  w: Tensor<'f32'>;
  /** d': minus the mean row. */
  negativeMean: Tensor<'f32'>;
  /** prefixDim x d'. */
  map: Tensor<'f32'>;
  /** What a code of the prefix is worth. */
  step: number;
  /**
   * One for each row and the base (d') that they are taken from: what is encoded is base + (w -
   * base) / scale. Default null: w.
   */
  scaling?: { scales: Tensor<'f32'>; base: Tensor<'f32'> } | null | undefined;
}

/**
 * What computes. Every method is asynchronous and coarse, and takes and returns handles. Results
 * depend on the inputs alone, not on the number of threads nor on where the values lie. A call that
 * reads values in a file rejects with 'bad-file' where the file is too short, cannot be read, or
 * differs from its checks; the device goes on working.
 */
export interface Device {
  readonly threads: number;
  /** Whether it was closed or has lost a worker: every call rejects. */
  readonly closed: boolean;
  /** Whether `attach` works: workers of this platform read files. */
  readonly readsFiles: boolean;
  /**
   * Copies data to the device; data in shared memory is used where it lies and must not change
   * while the handle lives.
   */
  upload<D extends DType>(
    dtype: D,
    data: TypedArrayOf<D>,
    options?: UploadOptions,
  ): Promise<Tensor<D>>;
  /**
   * A tensor whose values stay in a file and are read when they are needed; the file must not
   * change. Only for documents' vectors and codes. Raises 'unsupported' where `readsFiles` is
   * false.
   */
  attach<D extends DType>(dtype: D, length: number, file: FileValues): Promise<Tensor<D>>;
  /**
   * Tensors end to end as one, without copying. Freeing it frees none of them; they must live as
   * long. No parts: an empty tensor. Only for documents' vectors, prefixes and codes.
   */
  concat<D extends DType>(dtype: D, parts: readonly Tensor<D>[]): Promise<Tensor<D>>;
  /** Zeros. */
  allocate<D extends DType>(dtype: D, length: number): Promise<Tensor<D>>;
  /** A copy of values `from` to `to`, wherever they lie. */
  read<D extends DType>(tensor: Tensor<D>, from?: number, to?: number): Promise<TypedArrayOf<D>>;
  /** Overwrites values from `at` on; not of a tensor in a file or of parts. */
  write<D extends DType>(tensor: Tensor<D>, data: TypedArrayOf<D>, at?: number): Promise<void>;
  free(...tensors: readonly Tensor[]): void;

  /** out (rows x d') = psi(x), x rows x d. */
  features(
    map: DeviceFeatureMap,
    x: Tensor<'f32'>,
    rows: number,
    out: Tensor<'f32'>,
    options?: RunOptions,
  ): Promise<void>;
  /** out (queries x d'): sum of psi over the tokens of each query. */
  queryFeatures(
    map: DeviceFeatureMap,
    queries: DeviceTokens,
    out: Tensor<'f32'>,
    options?: RunOptions,
  ): Promise<void>;
  /**
   * out[i * columns + j] = largest inner product of x[i] with document select[j] (all documents
   * when absent). Returns sums over the output.
   */
  targets(
    x: Tensor<'f32'>,
    rows: number,
    documents: DeviceTokens,
    select: Tensor<'i32'> | null,
    out: Tensor<'f32'>,
    options?: TargetsOptions,
  ): Promise<{ sum: number; sumSquares: number }>;
  /**
   * Room for training a feature map with a linear head of `outputs` outputs; the parameters are
   * zero until written. Matrix products are in float32, or, with `int16`, of operands rounded to 12
   * bits by row or column.
   */
  createTraining(
    layout: FeatureLayout,
    outputs: number,
    batchSize: number,
    products: 'float32' | 'int16',
  ): Promise<Training>;
  /**
   * One training step; the loss is the mean squared error before it, the norm that of the gradient
   * before clipping.
   */
  trainStep(training: Training, step: TrainStep): Promise<{ loss: number; gradientNorm: number }>;
  /** Mean squared error of the network on rows of x and raw targets. */
  loss(
    training: Training,
    x: Tensor<'f32'>,
    targets: Tensor<'f32'>,
    rows: number,
    mean: number,
    std: number,
    options?: RunOptions,
  ): Promise<number>;
  /** out (n x n float64, lower triangle) = Z^T Z, z rows x n. */
  gram(
    z: Tensor<'f32'>,
    rows: number,
    n: number,
    out: Tensor<'f64'>,
    options?: RunOptions,
  ): Promise<void>;
  /**
   * Lower triangle of `a` to its Cholesky factor. Returns the smallest ratio of a pivot to its
   * diagonal element; not positive: no factor.
   */
  cholesky(a: Tensor<'f64'>, n: number): Promise<number>;
  /**
   * out (documents x d') = least squares of the documents' standardised targets at the sample x on
   * its features z: (L L^T)^-1 Z^T y.
   */
  documentWeights(args: DocumentWeightsArgs, options?: RunOptions): Promise<void>;
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
  ): Promise<{ indices: Int32Array; scores: Float32Array }>;
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
   * Prefixes and full codes of weights: round(map (w - mean) / step) within -127 .. 127, and (w -
   * mean) by a factor for each row.
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
   * q>, or <w - base, q> of codes with scales. `queries` count x d', `prefixes` count x prefixDim.
   */
  topCodes(
    documents: DeviceCodes,
    queries: Tensor<'f32'>,
    prefixes: Tensor<'f32'>,
    count: number,
    rescored: number,
    k: number,
    options?: TopCodesOptions,
  ): Promise<{ indices: Int32Array; scores: Float32Array }>;
  /** out (queries x documents) = exact MaxSim; queries float32. */
  maxSim(
    queries: DeviceTokens,
    documents: DeviceTokens,
    out: Tensor<'f32'>,
    options?: RunOptions,
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
    options?: RunOptions,
  ): Promise<void>;

  /** Ends the workers; calls under way reject with 'closed'. */
  close(): Promise<void>;
}
