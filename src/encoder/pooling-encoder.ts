import { LemurError } from '../errors.js';
import { checkOptions } from '../known-options.js';
import { RUN_OPTIONS } from '../run-options.js';
import { sharedFloats } from '../tokens/gather.js';
import { rowOffsets } from '../tokens/token-sets.js';
import { arrangeTexts, joinSpans } from './arrange-texts.js';
import { checkKind, checkTexts, maxTokensOf } from './check-encode.js';
import { countTokens } from './count-tokens.js';
import {
  ENCODE_OPTIONS,
  type EncodedTexts,
  type EncodeOptions,
  type PooledVectors,
  type PoolingEncoder,
} from './encoder.js';
import type { EncoderOrigin } from './origin.js';
import { runBatches } from './run-batches.js';
import type { BodyRunner, Projection } from './runtime/body.js';
import { PLAIN, type TextRecipe } from './text/recipe.js';
import { idsOf, PUNCTUATION, type TextTokenizer } from './text/tokenizer.js';

export interface EncoderParts {
  id: string;
  /** undefined: nobody can make it again. */
  origin?: EncoderOrigin | undefined;
  projection?: Projection | undefined;
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

/** Token vectors of one kind, pooled vectors, or both. */
interface Wanted {
  tokens?: 'query' | 'document';
  pooled?: boolean;
}

/** Puts an encoder together. */
export function poolingEncoder(parts: EncoderParts): PoolingEncoder {
  const { id, dim, origin, projection, runner, tokenizer, recipes, positions } = parts;
  const run = (
    where: string,
    texts: readonly string[],
    options: EncodeOptions,
    want: Wanted,
  ): ReturnType<typeof encodeWanted> => {
    checkTexts(texts, where);
    checkOptions(options, ENCODE_OPTIONS, where);
    return encodeWanted(parts, where, texts, options, want);
  };
  return {
    id,
    dim,
    origin,
    projection,
    get documentTokens() {
      const { document } = recipes;
      return maxTokensOf({}, document, positions, 'encodeDocument') - document.promptTokens;
    },
    countTokens: (texts, options = {}) => {
      checkTexts(texts, 'countTokens');
      checkOptions(options, RUN_OPTIONS, 'countTokens');
      return countTokens(tokenizer, texts, options.signal);
    },
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
}

/**
 * Without `want.tokens` no text has a token vector in the result, without `want.pooled` there are
 * no pooled ones. Raises 'unsupported' where the model has nothing to pool.
 */
async function encodeWanted(
  parts: EncoderParts,
  where: string,
  texts: readonly string[],
  options: EncodeOptions,
  want: Wanted,
): Promise<{ tokens: EncodedTexts; pooled: PooledVectors }> {
  const { tokenizer, runner, dim, normalize, positions, hidden = 0 } = parts;
  const { pooled = false } = want;
  if (pooled && parts.hidden === undefined) {
    const message = `${where}: the model gives token vectors alone, there is nothing to pool`;
    throw new LemurError('unsupported', message, { where });
  }
  const recipe = recipeOf(parts, want.tokens, options.skipPunctuation);
  const maxTokens = maxTokensOf(options, recipe, positions, where);
  const { arranged, truncated } = await arrangeTexts(tokenizer, texts, recipe, maxTokens, options);
  const counts = Int32Array.from(arranged, ({ rows }) => (want.tokens ? rows.length : 0));
  const offsets = rowOffsets(counts);
  const vectors = sharedFloats(offsets[texts.length] * dim);
  const spans = want.tokens && joinSpans(arranged, offsets);
  const means = { vectors: sharedFloats(pooled ? texts.length * hidden : 0), dim: hidden };
  await runBatches(
    runner,
    arranged,
    pooled,
    ({ texts: indices, lengths }, output) => {
      let row = 0;
      indices.forEach((text, i) => {
        let to = offsets[text];
        if (want.tokens)
          for (const keep of arranged[text].rows)
            copyRow(output.states, row + keep, dim, vectors, to++, normalize);
        if (pooled) copyRow(output.pooled, i, hidden, means.vectors, text, true);
        row += lengths[i];
      });
    },
    options,
  );
  return { tokens: { vectors, counts, offsets, dim, spans, truncated }, pooled: means };
}

function recipeOf(
  { recipes, tokenizer }: EncoderParts,
  kind: 'query' | 'document' | undefined,
  skipPunctuation: boolean | undefined,
): TextRecipe {
  // what is pooled is not scored token by token
  const recipe = kind ? recipes[kind] : PLAIN;
  if (skipPunctuation === undefined) return recipe;
  return { ...recipe, skip: skipPunctuation ? idsOf(tokenizer, PUNCTUATION) : new Set() };
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
