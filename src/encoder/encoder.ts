import { abortable } from '../abortable.js';
import { LemurError } from '../errors.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { pacer, stepPacer } from '../pacer.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { sharedFloats } from '../tokens/gather.js';
import { rowOffsets, type TokenSets } from '../tokens/token-sets.js';
import { describeKind, showValue } from '../value-kind.js';
import { type TextBatch, textBatches } from './batches.js';
import type { BodyOutput, BodyRunner } from './runtime/body.js';
import { tokenizePrompted } from './text/prompted-text.js';
import { type ArrangedText, arrange, extraTokens, PLAIN, type TextRecipe } from './text/recipe.js';
import { idsOf, PUNCTUATION, type TextTokenizer } from './text/tokenizer.js';

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

const ENCODE_OPTIONS: OptionNames<EncodeOptions> = {
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

/**
 * An encoder of our own, which can also pool: mean over all the tokens it read, [CLS] and [SEP]
 * included, before any projection.
 */
export interface PoolingEncoder extends Encoder {
  encodePooled(texts: readonly string[], options?: EncodeOptions): Promise<PooledVectors>;
  /** Token vectors and pooled vectors in one pass. */
  encode(
    texts: readonly string[],
    options: EncodeOptions & { kind: 'query' | 'document' },
  ): Promise<{ tokens: EncodedTexts; pooled: PooledVectors }>;
}

/**
 * What a text counts as among the steps between two turns of the event loop: 16 texts are tokenized
 * in one.
 */
const STEPS_A_TEXT = 256;

/** Batches under way: while one is placed the next one runs. */
const BATCHES_AT_ONCE = 2;

export interface EncoderParts {
  id: string;
  tokenizer: TextTokenizer;
  runner: BodyRunner;
  /** Dimension of the token vectors: the last dense layer's, or `hidden`. */
  dim: number;
  /**
   * Dimension of the body's states; undefined where these do not come out of it: then nothing can
   * be pooled.
   */
  hidden: number | undefined;
  /** Whether token vectors are brought to unit length. */
  normalize: boolean;
  /** The longest text that the body takes, in tokens, all included. */
  positions: number;
  recipes: { readonly query: TextRecipe; readonly document: TextRecipe };
}

/** Tokens of content where neither the caller nor the checkpoint says how many. */
const MOST_TOKENS = 180;

/** Puts an encoder together. */
export function poolingEncoder(parts: EncoderParts): PoolingEncoder {
  const { id, tokenizer, runner, dim, normalize } = parts;
  const hidden = parts.hidden ?? 0;
  return {
    id,
    dim,
    encodeQuery: async (texts, options = {}) =>
      (await run('encodeQuery', texts, options, { tokens: 'query' })).tokens,
    encodeDocument: async (texts, options = {}) =>
      (await run('encodeDocument', texts, options, { tokens: 'document' })).tokens,
    encodePooled: async (texts, options = {}) =>
      (await run('encodePooled', texts, options, { pooled: true })).pooled,
    async encode(texts, options) {
      checkOptions(options, { kind: true, ...ENCODE_OPTIONS }, 'encode');
      const { kind, ...others } = options;
      return run('encode', texts, others, { tokens: checkKind(kind), pooled: true });
    },
    close: () => runner.close(),
  };

  /**
   * Without `want.tokens` no text has a token vector in the result, without `want.pooled` there are
   * no pooled ones.
   */
  async function run(
    where: string,
    texts: readonly string[],
    options: EncodeOptions,
    want: { tokens?: 'query' | 'document'; pooled?: boolean },
  ): Promise<{ tokens: EncodedTexts; pooled: PooledVectors }> {
    checkTexts(texts, where);
    checkOptions(options, ENCODE_OPTIONS, where);
    const { pooled = false } = want;
    if (pooled && parts.hidden === undefined) {
      const message = `${where}: the model gives token vectors alone, there is nothing to pool`;
      throw new LemurError('unsupported', message, { where });
    }
    const recipe = recipeOf(want.tokens, options.skipPunctuation);
    const { arranged, truncated } = await arrangeAll(
      texts,
      recipe,
      maxTokensOf(options, recipe, parts.positions, where),
      options,
    );
    const counts = Int32Array.from(arranged, ({ rows }) => (want.tokens ? rows.length : 0));
    const offsets = rowOffsets(counts);
    const spans = want.tokens && joinSpans(arranged, offsets);
    const tokens: EncodedTexts = {
      vectors: sharedFloats(offsets[texts.length] * dim),
      counts,
      offsets,
      dim,
      spans,
      truncated,
    };
    const means = { vectors: sharedFloats(pooled ? texts.length * hidden : 0), dim: hidden };
    await encodeAll(arranged, pooled, options, ({ texts: indices, lengths }, output) => {
      let row = 0;
      indices.forEach((text, i) => {
        let to = offsets[text];
        if (want.tokens)
          for (const keep of arranged[text].rows)
            copyRow(output.states, row + keep, dim, tokens.vectors, to++, normalize);
        if (pooled) copyRow(output.pooled, i, hidden, means.vectors, text, true);
        row += lengths[i];
      });
    });
    return { tokens, pooled: means };
  }

  function recipeOf(
    kind: 'query' | 'document' | undefined,
    skipPunctuation: boolean | undefined,
  ): TextRecipe {
    // what is pooled is not scored token by token
    const recipe = kind ? parts.recipes[kind] : PLAIN;
    if (skipPunctuation === undefined) return recipe;
    return { ...recipe, skip: skipPunctuation ? idsOf(tokenizer, PUNCTUATION) : new Set() };
  }

  async function arrangeAll(
    texts: readonly string[],
    recipe: TextRecipe,
    maxTokens: number,
    { signal, onProgress }: RunOptions,
  ): Promise<{ arranged: ArrangedText[]; truncated: number }> {
    const pace = pacer(signal);
    const step = stepPacer(signal);
    const arranged: ArrangedText[] = [];
    let truncated = 0;
    onProgress?.({ stage: 'tokenize', done: 0, total: texts.length });
    for (const text of texts) {
      await pace();
      await step(STEPS_A_TEXT);
      const tokenized = tokenizePrompted(tokenizer, recipe, text, maxTokens);
      if (tokenized.truncated) truncated++;
      arranged.push(arrange(tokenized, tokenizer.around, recipe));
    }
    onProgress?.({ stage: 'tokenize', done: texts.length, total: texts.length });
    return { arranged, truncated };
  }

  /** The first failure stops all lanes. */
  async function encodeAll(
    texts: readonly ArrangedText[],
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
          place(batch, await abortable(runner.run(batch, pooled), signal));
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

/** Spans of all texts' rows; undefined where a text has none. */
function joinSpans(texts: readonly ArrangedText[], offsets: Float64Array): Int32Array | undefined {
  const out = new Int32Array(2 * offsets[texts.length]);
  for (const [text, { spans }] of texts.entries()) {
    if (!spans) return undefined;
    out.set(spans, 2 * offsets[text]);
  }
  return out;
}

function checkTexts(texts: readonly string[], where: string): void {
  if (!Array.isArray(texts))
    throw new LemurError(
      'invalid-argument',
      `${where}: expected an array of strings, got ${describeKind(texts)}`,
      { where },
    );
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) {
    throw new LemurError(
      'invalid-argument',
      `${where}: text ${wrong} is of type ${typeof texts[wrong]}, expected a string`,
      { where },
    );
  }
}

function checkKind(kind: unknown): 'query' | 'document' {
  if (kind === 'query' || kind === 'document') return kind;
  throw new LemurError(
    'invalid-argument',
    `encode: kind is ${describeKind(kind)}, expected 'query' or 'document'`,
    { where: 'encode' },
  );
}

/** Most tokens of a text and the prompt before it. */
function maxTokensOf(
  { maxTokens }: EncodeOptions,
  recipe: TextRecipe,
  positions: number,
  where: string,
): number {
  const extra = extraTokens(recipe);
  if (maxTokens === undefined)
    return Math.min(
      recipe.length === undefined ? MOST_TOKENS : recipe.length - extra,
      positions - extra,
    );
  const most = positions - extra - recipe.promptTokens;
  if (Number.isInteger(maxTokens) && maxTokens >= 1 && maxTokens <= most)
    return maxTokens + recipe.promptTokens;
  throw new LemurError(
    'invalid-argument',
    `${where}: maxTokens is ${showValue(maxTokens)}, expected an integer from 1 to ${most}`,
    {
      where,
    },
  );
}

/** out[row] = x[from], brought to unit length if `normalize`; a row of zeros stays as it is. */
function copyRow(
  x: Float32Array,
  from: number,
  width: number,
  out: Float32Array,
  row: number,
  normalize: boolean,
): void {
  const start = from * width;
  if (!normalize) {
    out.set(x.subarray(start, start + width), row * width);
    return;
  }
  let square = 0;
  for (let c = 0; c < width; c++) square += x[start + c] * x[start + c];
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  const at = row * width;
  for (let c = 0; c < width; c++) out[at + c] = x[start + c] * scale;
}
