import { LemurError } from '../errors.js';
import { pacer } from '../pacer.js';
import type { RunOptions } from '../run-options.js';
import { sharedFloats } from '../tokens/gather.js';
import { rowOffsets, type TokenSets } from '../tokens/token-sets.js';
import { type TextBatch, textBatches } from './batches.js';
import type { BodyOutput, IdBatch } from './body.js';
import type { TextTokenizer, TokenizedText } from './tokenizer.js';

/** What every encoding call takes. */
export interface EncodeOptions extends RunOptions {
  /** Tokens of content that are encoded, from the text's beginning; at most the model's positions less two. 180 by default. */
  maxTokens?: number | undefined;
  /**
   * Leave out the vectors of tokens that are one character of ASCII punctuation, as ColBERT does in documents. They still take part in
   * the other tokens' context and count towards `maxTokens`. True for documents and false for queries by default.
   */
  skipPunctuation?: boolean | undefined;
}

/** Token vectors of texts, and where in the texts the tokens are. */
export interface EncodedTexts extends TokenSets {
  /**
   * For each token row [start, end) in its text in UTF-16 code units, rows x 2, so that `text.slice(start, end)` is what the token stands for: with
   * its capitals and accents, the whole word where the vocabulary has none for it, and the whole character where a token is part of one.
   * Starts ascend within a text. [0, 0) for the row of a text without any token. An encoder may leave the spans out.
   */
  readonly spans?: Int32Array | undefined;
}

/**
 * Token vectors of texts, of unit length, without those of special tokens. Every text has at least one: a text of nothing but punctuation
 * keeps it, and a text without any token has the state of [CLS] alone, so that rows and texts stay aligned.
 */
export interface Encoder {
  /** The same for encoders that give the same vectors (up to rounding), different for others. */
  readonly id: string;
  /** Dimension of token vectors. */
  readonly dim: number;
  encodeQuery(texts: readonly string[], options?: EncodeOptions): Promise<EncodedTexts>;
  encodeDocument(texts: readonly string[], options?: EncodeOptions): Promise<EncodedTexts>;
  /** Stops the encoder's threads. Calls under way and later ones reject with `closed`. */
  close(): Promise<void>;
}

/** One vector for each text: `vectors` is texts x dim, of unit length. */
export interface PooledVectors {
  readonly vectors: Float32Array;
  readonly dim: number;
}

/** An encoder of our own, which can also pool: mean over all the tokens it read, [CLS] and [SEP] included, before any projection. */
export interface PoolingEncoder extends Encoder {
  encodePooled(texts: readonly string[], options?: EncodeOptions): Promise<PooledVectors>;
  /** Token vectors and pooled vectors in one pass. */
  encode(
    texts: readonly string[],
    options: EncodeOptions & { kind: 'query' | 'document' },
  ): Promise<{ tokens: EncodedTexts; pooled: PooledVectors }>;
}

/** What runs batches, one after the other; more wait their turn. */
export interface BodyRunner {
  /** The most tokens of a batch, longest text x texts. */
  readonly batchTokens: number;
  run(batch: IdBatch, pooled: boolean): Promise<BodyOutput>;
  close(): Promise<void>;
}

/** Batches under way: while one is placed the next one runs. */
const BATCHES_AT_ONCE = 2;

export interface EncoderParts {
  id: string;
  tokenizer: TextTokenizer;
  runner: BodyRunner;
  /** Dimension of the body's states: the projection's, or `hidden`. */
  dim: number;
  hidden: number;
  positions: number;
}

/** Puts an encoder together. */
export function poolingEncoder(parts: EncoderParts): PoolingEncoder {
  const { id, tokenizer, runner, dim, hidden } = parts;
  return {
    id,
    dim,
    encodeQuery: async (texts, options = {}) => (await run('encodeQuery', texts, options, { tokens: 'query' })).tokens,
    encodeDocument: async (texts, options = {}) => (await run('encodeDocument', texts, options, { tokens: 'document' })).tokens,
    encodePooled: async (texts, options = {}) => (await run('encodePooled', texts, options, { pooled: true })).pooled,
    encode: async (texts, options) => run('encode', texts, options, { tokens: kindOf(options), pooled: true }),
    close: () => runner.close(),
  };

  /** Without `want.tokens` no text has a token vector in the result, without `want.pooled` there are no pooled ones. */
  async function run(
    where: string,
    texts: readonly string[],
    options: EncodeOptions,
    want: { tokens?: 'query' | 'document'; pooled?: boolean },
  ): Promise<{ tokens: EncodedTexts; pooled: PooledVectors }> {
    checkTexts(texts, where);
    const { pooled = false } = want;
    const skipPunctuation = options.skipPunctuation ?? want.tokens === 'document';
    const tokenized = await tokenizeAll(texts, maxTokensOf(options, parts.positions, where), options);
    const kept = tokenized.map((text) => (want.tokens ? keptRows(text, skipPunctuation) : []));
    const counts = Int32Array.from(kept, (rows) => rows.length);
    const offsets = rowOffsets(counts);
    const spans = keptSpans(tokenized, kept, offsets);
    const tokens: EncodedTexts = { vectors: sharedFloats(offsets[texts.length] * dim), counts, offsets, dim, spans };
    const means = { vectors: sharedFloats(pooled ? texts.length * hidden : 0), dim: hidden };
    await encodeAll(tokenized, pooled, options, ({ texts: indices, lengths }, output) => {
      let row = 0;
      indices.forEach((text, i) => {
        let to = offsets[text];
        for (const keep of kept[text]) copyUnit(output.states, row + keep, dim, tokens.vectors, to++);
        if (pooled) copyUnit(output.pooled, i, hidden, means.vectors, text);
        row += lengths[i];
      });
    });
    return { tokens, pooled: means };
  }

  async function tokenizeAll(texts: readonly string[], maxTokens: number, { signal, onProgress }: RunOptions): Promise<TokenizedText[]> {
    const pace = pacer(signal);
    const out: TokenizedText[] = [];
    onProgress?.({ stage: 'tokenize', done: 0, total: texts.length });
    for (const text of texts) {
      await pace();
      out.push(tokenizer.tokenize(text, maxTokens));
    }
    onProgress?.({ stage: 'tokenize', done: texts.length, total: texts.length });
    return out;
  }

  /** The first failure stops all lanes. */
  async function encodeAll(
    texts: readonly TokenizedText[],
    pooled: boolean,
    { signal, onProgress }: RunOptions,
    place: (batch: TextBatch, output: BodyOutput) => void,
  ): Promise<void> {
    // one iterator for all lanes: each takes the next batch
    const batches = textBatches(texts, runner.batchTokens).values();
    let done = 0;
    let failed = false;
    onProgress?.({ stage: 'encode', done, total: texts.length });
    const lane = async (): Promise<void> => {
      try {
        for (const batch of batches) {
          signal?.throwIfAborted();
          if (failed) return;
          place(batch, await runner.run(batch, pooled));
          done += batch.texts.length;
          if (!failed) onProgress?.({ stage: 'encode', done, total: texts.length });
        }
      } catch (error) {
        failed = true;
        throw error;
      }
    };
    await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, lane));
    signal?.throwIfAborted();
  }
}

/** Rows of a text's states that become vectors. Row 0 is [CLS]. */
function keptRows({ punctuation }: TokenizedText, skipPunctuation: boolean): number[] {
  const all = Array.from(punctuation, (_, i) => i + 1);
  const words = skipPunctuation ? all.filter((row) => punctuation[row - 1] === 0) : all;
  if (words.length > 0) return words;
  return all.length > 0 ? all : [0];
}

/** Of the rows in `kept`, text by text; undefined if the tokenizer gave none for a text. */
function keptSpans(texts: readonly TokenizedText[], kept: readonly (readonly number[])[], offsets: Float64Array): Int32Array | undefined {
  const out = new Int32Array(2 * offsets[texts.length]);
  for (let text = 0, to = 0; text < texts.length; text++) {
    const { spans } = texts[text];
    if (!spans) return undefined;
    for (const row of kept[text]) {
      // row 0 is [CLS], which is nowhere
      if (row > 0) out.set(spans.subarray(2 * row - 2, 2 * row), to);
      to += 2;
    }
  }
  return out;
}

function checkTexts(texts: readonly string[], where: string): void {
  if (!Array.isArray(texts))
    throw new LemurError('invalid-argument', `${where}: expected an array of strings, got ${typeof texts}`, { where });
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) {
    throw new LemurError('invalid-argument', `${where}: text ${wrong} is of type ${typeof texts[wrong]}, expected a string`, { where });
  }
}

function kindOf(options: { kind: 'query' | 'document' }): 'query' | 'document' {
  const kind = options?.kind;
  if (kind === 'query' || kind === 'document') return kind;
  throw new LemurError('invalid-argument', `encode: kind is ${JSON.stringify(kind)}, expected 'query' or 'document'`, { where: 'encode' });
}

function maxTokensOf({ maxTokens }: EncodeOptions, positions: number, where: string): number {
  const most = positions - 2;
  if (maxTokens === undefined) return Math.min(180, most);
  if (Number.isInteger(maxTokens) && maxTokens >= 1 && maxTokens <= most) return maxTokens;
  throw new LemurError('invalid-argument', `${where}: maxTokens is ${maxTokens}, expected an integer from 1 to ${most}`, { where });
}

/** out[row] = x[from] / |x[from]|; a row of zeros stays as it is. */
function copyUnit(x: Float32Array, from: number, width: number, out: Float32Array, row: number): void {
  const start = from * width;
  let square = 0;
  for (let c = 0; c < width; c++) square += x[start + c] * x[start + c];
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  const at = row * width;
  for (let c = 0; c < width; c++) out[at + c] = x[start + c] * scale;
}
