import type { TokenSets } from './token-sets.js';

/** Rows of encoded tokens end to end: the float32 vectors themselves, or bytes. */
export type TokenRows = Float32Array | Int8Array;

/** One text as it is stored. */
export interface EncodedRows {
  readonly rows: TokenRows;
  /** 1 where texts of the encoding have no scale. */
  readonly scale: number;
}

/** What an encoding goes by, besides the text itself. */
export interface TokenBasis {
  /** Dimension of the token vectors. */
  readonly dim: number;
  /** What the encoding has learned, `parameterCount(dim)` values. */
  readonly parameters: Float32Array;
}

/** What encoding texts has lost; both may be added up over texts. */
export interface EncodingLoss {
  /** Sum of the squared errors of all values. */
  readonly error: number;
  /** Sum of the squares of the values, less what the parameters hold of them. */
  readonly energy: number;
}

/**
 * A way of storing token vectors: what a row is, how it is made of a vector and read back. A new
 * one is a file like this one's neighbours and a line in `encodings.ts`. The CPU device scores it
 * by `decode` and its float32 kernel, unless src/device/cpu/operations/token-scorers.ts has a
 * faster way for its name.
 */
export interface TokenEncoding {
  /** As `precision` options and files name it. */
  readonly name: string;
  /** `f32`: rows are the vectors as they come; `i8`: rows are bytes as the encoding likes. */
  readonly dtype: 'f32' | 'i8';
  /** Whether each text has a scale beside its rows; a scale for each token belongs into its row. */
  readonly textScales: boolean;
  /** What files call the parameters. */
  readonly parametersName: `token${string}`;
  /** What training multiplies in for texts stored so: operands rounded to 12 bits, or float32. */
  readonly products: 'float32' | 'int16';

  /** Bytes of the row of a token. */
  rowBytes(dim: number): number;

  /** Number of learned parameters; 0: nothing is learned. */
  parameterCount(dim: number): number;

  /**
   * Parameters for texts like those of the sample; the same sample and seed give the same ones.
   * Rejects with the signal's reason.
   */
  learn(sample: TokenSets, seed: number, signal?: AbortSignal | undefined): Promise<Float32Array>;

  /**
   * Whether other parameters store the sample so much better than the present ones that encoding
   * everything anew pays. Rejects with the signal's reason.
   */
  improves(
    sample: TokenSets,
    present: Float32Array,
    other: Float32Array,
    signal?: AbortSignal | undefined,
  ): Promise<boolean>;

  /**
   * Where texts have a scale: what it comes from, for vectors of a text, tokens x dim. The whole
   * text's is the largest of its parts'.
   */
  reach?(vectors: Float32Array, basis: TokenBasis): number;

  /**
   * Writes the rows of a text, tokens x dim, and returns its scale. What a row becomes depends on
   * it and on the text's `reach` alone, which is given where the vectors are a part of the text.
   */
  encode(vectors: Float32Array, basis: TokenBasis, rows: TokenRows, reach?: number): number;

  /** What the rows of a text have lost. */
  loss(vectors: Float32Array, text: EncodedRows, basis: TokenBasis): EncodingLoss;

  /** Values of the rows of a text, tokens x dim. */
  decode(text: EncodedRows, basis: TokenBasis, out: Float32Array | Float64Array): void;

  /** Length that a row of zeros may have once it is decoded, by the scale of its text. */
  zeroLength(scale: number, basis: TokenBasis): number;

  /**
   * Where `decode` gives vectors of another space, say rotated ones: takes the vectors of a query,
   * tokens x dim, there, in place. Inner products there are those of the vectors themselves.
   */
  prepareQuery?(vectors: Float32Array, basis: TokenBasis): void;

  /** The way back from that space for decoded vectors, in place. */
  restore?(vectors: Float32Array | Float64Array, basis: TokenBasis): void;
}

/** What rows look like. */
export interface TokenLayout {
  readonly encoding: TokenEncoding;
  readonly dim: number;
}

/** An encoding with what it goes by: how the texts of one collection are stored. */
export interface TokenCodec extends TokenLayout, TokenBasis {}

/** Values of a row: float32 values or bytes. */
export function rowLength({ encoding: { dtype, rowBytes }, dim }: TokenLayout): number {
  return dtype === 'f32' ? rowBytes(dim) / 4 : rowBytes(dim);
}
