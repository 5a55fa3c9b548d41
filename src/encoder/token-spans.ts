import { bertNormalization, bertNormalizer, type NormalizedText } from './bert-normalizer.js';

/**
 * Where the first `count` of a text's tokens are in it: [start, end) in UTF-16 code units, count x 2, in the order of the text. Undefined where the
 * tokens do not follow from the text by the rules known here.
 */
export type SpanFinder = (text: string, tokens: readonly string[], count: number) => Int32Array | undefined;

/** BERT's words: whitespace is left out, every punctuation mark is a word. */
const WORDS = /[^\s\p{P}!-/:-@[-`{-~]+|[\p{P}!-/:-@[-`{-~]/gu;

/** What of a tokenizer.json says where tokens come from. */
interface WordPieceRules {
  readonly normalize: (text: string) => NormalizedText;
  /** The token of a whole word that the vocabulary cannot spell. */
  readonly unknown: string;
  /** What pieces begin with that go on with a word. */
  readonly prefix: string;
  /** Tokens such as [SEP] that are found literally: in the text, once it is normalised, or as all that there is. */
  readonly literal: { readonly inText: RegExp | undefined; readonly inNormalized: RegExp | undefined; readonly alone: ReadonlySet<string> };
}

/**
 * The library gives tokens without their places. This finds them again: it normalises the text with a map back to the original, splits it into words and
 * reads the tokens along them. Undefined for a tokenizer that is not of BertNormalizer, BertPreTokenizer and WordPiece.
 */
export function wordPieceSpans(json: object, config: object): SpanFinder | undefined {
  const rules = wordPieceRules(json as Record<string, unknown>, config as Record<string, unknown>);
  if (!rules) return undefined;
  return (text, tokens, count) => {
    const spans = new Int32Array(2 * count);
    let placed = 0;
    for (const word of wordsOf(text, rules)) {
      for (let from = 0; from < word.text.length && placed < count; placed++) {
        const length = pieceLength(tokens[placed], word.text, from, rules);
        if (length === 0) return undefined;
        spans[2 * placed] = word.startOf(from);
        spans[2 * placed + 1] = word.endOf(from + length - 1);
        from += length;
      }
      if (placed === count) break;
    }
    return placed === count ? spans : undefined;
  };
}

/** Code units of the word from `from` on that the token stands for; 0 if it cannot. */
function pieceLength(token: string, word: string, from: number, { unknown, prefix }: WordPieceRules): number {
  if (from === 0 && token === unknown) return word.length;
  if (from > 0 && !token.startsWith(prefix)) return 0;
  const piece = from === 0 ? token : token.slice(prefix.length);
  return word.startsWith(piece, from) ? piece.length : 0;
}

/** A word as the model sees it, and where its code units come from. */
interface Word {
  readonly text: string;
  startOf(unit: number): number;
  endOf(unit: number): number;
}

function* wordsOf(text: string, { normalize, literal }: WordPieceRules): Generator<Word> {
  for (const section of splitOff(text, literal.inText)) {
    if (section.isLiteral || literal.alone.has(section.text)) {
      yield { text: section.text, startOf: (unit) => section.at + unit, endOf: (unit) => section.at + unit + 1 };
      continue;
    }
    const { text: normalized, starts, ends } = normalize(section.text);
    for (const part of splitOff(normalized, literal.inNormalized)) {
      for (const [word, from] of part.isLiteral || literal.alone.has(part.text) ? [[part.text, 0] as const] : eachWord(part.text)) {
        const at = part.at + from;
        yield { text: word, startOf: (unit) => section.at + starts[at + unit], endOf: (unit) => section.at + ends[at + unit] };
      }
    }
  }
}

function* eachWord(text: string): Generator<readonly [word: string, from: number]> {
  for (const match of text.matchAll(WORDS)) yield [match[0], match.index];
}

/** A text in pieces: what the pattern finds, and what lies between. */
function* splitOff(text: string, pattern: RegExp | undefined): Generator<{ text: string; at: number; isLiteral: boolean }> {
  let at = 0;
  for (const match of pattern ? text.matchAll(pattern) : []) {
    if (match.index > at) yield { text: text.slice(at, match.index), at, isLiteral: false };
    at = match.index + match[0].length;
    yield { text: match[0], at: match.index, isLiteral: true };
  }
  if (at < text.length) yield { text: text.slice(at), at, isLiteral: false };
}

function wordPieceRules(json: Record<string, unknown>, config: Record<string, unknown>): WordPieceRules | undefined {
  const normalization = bertNormalization(json.normalizer);
  const { type, unk_token: unknown, continuing_subword_prefix: prefix } = (json.model ?? {}) as Record<string, unknown>;
  if (!normalization || type !== 'WordPiece' || typeof unknown !== 'string' || typeof prefix !== 'string') return undefined;
  if ((json.pre_tokenizer as { type?: unknown } | null)?.type !== 'BertPreTokenizer') return undefined;
  if (config.remove_space === true || config.do_lowercase_and_remove_accent) return undefined;
  const added = (json.added_tokens ?? []) as readonly { content: string; special?: boolean; normalized?: boolean }[];
  const contents = (wanted: boolean): string[] =>
    added.filter(({ special, normalized }) => (normalized ?? !special) === wanted).map(({ content }) => content);
  const normalize = bertNormalizer(normalization);
  const alone = new Set([...contents(false), ...contents(true)]);
  const inNormalized = anyOf(contents(true).map((content) => normalize(content).text));
  return { normalize, unknown, prefix, literal: { inText: anyOf(contents(false)), inNormalized, alone } };
}

/** The longest of the words wherever one begins. */
function anyOf(words: readonly string[]): RegExp | undefined {
  const longestFirst = words.filter((word) => word !== '').sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return undefined;
  return new RegExp(longestFirst.map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}
