import type { OptionNames } from '../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import type { TokenSets } from '../tokens/token-sets.js';
import type { EncoderOrigin } from './origin.js';
import type { Projection } from './runtime/body.js';

/** What every encoding call takes. */
export interface EncodeOptions extends RunOptions {
  /**
   * Tokens of content that are encoded, from the text's beginning; at most the model's positions
   * less those around it. By default what the checkpoint says, else 180.
   */
  maxTokens?: number | undefined;
  /**
   * Leave out the vectors of tokens that are one character of ASCII punctuation, as ColBERT does in
   * documents. They still take part in the other tokens' context and count towards `maxTokens`. By
   * default what the checkpoint says, else true for documents and false for queries.
   */
  skipPunctuation?: boolean | undefined;
}

export const ENCODE_OPTIONS: OptionNames<EncodeOptions> = {
  maxTokens: true,
  skipPunctuation: true,
  ...RUN_OPTIONS,
};

/** Token vectors of texts, and where in the texts the tokens are. */
export interface EncodedTexts extends TokenSets {
  /**
   * For each token row [start, end) in its text in UTF-16 code units, rows x 2, so that
   * `text.slice(start, end)` is what the token stands for: with its capitals and accents, the whole
   * word where the vocabulary has none for it, and the whole character where a token is part of
   * one. Spaces that belong to a token are left out, unless it has nothing else; it is empty where
   * the tokenizer has put a space that the text does not have. Starts ascend within a text. [0, 0)
   * for a row that stands for nothing in it: markers, expansion. An encoder may leave the spans
   * out.
   */
  readonly spans?: Int32Array | undefined;
  /** How many of the texts had more tokens than were encoded. */
  readonly truncated?: number | undefined;
}

/**
 * Token vectors of texts, of unit length unless the checkpoint leaves them as they are, without
 * those of special tokens unless the checkpoint scores them. Every text has at least one: a text of
 * nothing but punctuation keeps it, and a text without any token has the state of [CLS] alone, so
 * that rows and texts stay aligned.
 */
export interface Encoder {
  /** The same for encoders that give the same vectors (up to rounding), different for others. */
  readonly id: string;
  /** Dimension of token vectors. */
  readonly dim: number;
  /**
   * Where it comes from: all that a collection keeps to make it again. `loadEncoder` says it of
   * encoders without an `id` of the caller's; those of your own may leave it out.
   */
  readonly origin?: EncoderOrigin | undefined;
  /** The projection that it was loaded with, which a collection keeps too. */
  readonly projection?: Projection | undefined;
  /**
   * Tokens of a document's content that are encoded where a call asks for no other number;
   * passages are cut by it.
   */
  readonly documentTokens?: number | undefined;
  /**
   * How many tokens of content each text has, whatever is encoded of it. Passages are cut by it;
   * for an encoder that does not count they are cut by an estimate.
   */
  countTokens?(texts: readonly string[], options?: RunOptions): Promise<ArrayLike<number>>;
  /**
   * Token vectors of questions, as the checkpoint reads these: with its marker, prompt, length and
   * expansion. Rejects with `invalid-argument`, `closed`, `worker-failed`, or the signal's reason.
   */
  encodeQuery(texts: readonly string[], options?: EncodeOptions): Promise<EncodedTexts>;
  /** Token vectors of documents, as the checkpoint reads these. Rejects as `encodeQuery` does. */
  encodeDocument(texts: readonly string[], options?: EncodeOptions): Promise<EncodedTexts>;
  /** Stops the encoder's threads. Calls under way and later ones reject with `closed`. */
  close(): Promise<void>;
}

/** One vector for each text: `vectors` is texts x dim, of unit length. */
export interface PooledVectors {
  /** Row after row, texts x dim. */
  readonly vectors: Float32Array;
  /** Dimension of the body's states. */
  readonly dim: number;
}

/**
 * An encoder of our own, which can also pool: mean over all the tokens it read, [CLS] and [SEP]
 * included, before any projection.
 */
export interface PoolingEncoder extends Encoder {
  /**
   * One vector for each text, read as a document. Rejects as `encodeQuery` does, and with
   * `unsupported` where the checkpoint is a graph whose states do not come out of it.
   */
  encodePooled(texts: readonly string[], options?: EncodeOptions): Promise<PooledVectors>;
  /** Token vectors and pooled vectors in one pass. Rejects as `encodePooled` does. */
  encode(
    texts: readonly string[],
    options: EncodeOptions & { kind: 'query' | 'document' },
  ): Promise<{
    /** As `encodeQuery` or `encodeDocument` gives them, by `kind`. */
    tokens: EncodedTexts;
    /** As `encodePooled` gives them. */
    pooled: PooledVectors;
  }>;
}
