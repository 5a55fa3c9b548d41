import { invalidArgument } from '../errors.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { showValue } from '../value-kind.js';

/** What texts are cut by; `auto`: by the ending of a document's id, as of a file. */
export type CutBy = 'auto' | 'markdown' | 'text' | 'code';

/** How documents are cut into passages. */
export interface PassageOptions {
  /**
   * Tokens of a passage at most, by the encoder's own count, headings included; from 8 to what the
   * encoder reads of a document. Default: 180, or what the encoder reads if that is less.
   */
  size?: number | undefined;
  /** Tokens that a passage may repeat of the one before; at most half of `size`. Default 0. */
  overlap?: number | undefined;
  /**
   * Where it is best to cut. `markdown`: at headings, which passages below them repeat, then at
   * paragraphs, items and sentences. `text`: at paragraphs and sentences. `code`: at blank lines
   * and lines of little indentation. `auto` (default): by the ending of the document's id, such as
   * `.md` or `.ts`; `text` for all that is not known.
   */
  by?: CutBy | undefined;
}

/** A passage as a caller's own function gives it. */
export interface CutPassage {
  /** What is encoded and stored. */
  text: string;
  /** Where it stands in the document's text: [start, end) in UTF-16 code units. */
  span: readonly [number, number];
}

/** Cuts a text; passages come in the order of their starts. */
export type CutFunction = (text: string) => Iterable<CutPassage>;

/** How a collection's documents are cut, with all that was left out filled in. */
export type PassageRules =
  | {
      /** What texts are cut by. */
      readonly by: CutBy;
      /** Tokens of a passage at most. */
      readonly size: number;
      /** Tokens that a passage may repeat of the one before. */
      readonly overlap: number;
    }
  | {
      /** A function of the caller's, which is not stored. */
      readonly by: 'function';
    };

/** Tokens of a passage where nobody says how many. */
const DEFAULT_SIZE = 180;
/** Fewer would be no passage. */
const LEAST_SIZE = 8;
const MOST_SIZE = 65_536;
const KINDS: readonly unknown[] = ['auto', 'markdown', 'text', 'code'];
const NAMES: OptionNames<PassageOptions> = { size: true, overlap: true, by: true };

/**
 * The rules that options stand for; `most`: tokens of a document that the encoder reads. Raises
 * 'invalid-argument'.
 */
export function passageRules(
  given: PassageOptions | CutFunction,
  most: number = MOST_SIZE,
): PassageRules {
  if (typeof given === 'function') return { by: 'function' };
  checkOptions(given, NAMES, 'passages');
  const { size = Math.min(DEFAULT_SIZE, most), overlap = 0, by = 'auto' } = given;
  checkInteger(
    size,
    'passages.size',
    Math.min(LEAST_SIZE, most),
    most,
    ' (what the encoder reads)',
  );
  checkInteger(overlap, 'passages.overlap', 0, Math.floor(size / 2), ' (half of size)');
  if (!KINDS.includes(by)) {
    const expected = "expected 'auto', 'markdown', 'text' or 'code'";
    throw invalidArgument('passages.by', `${expected}, got ${showValue(by)}`);
  }
  return { by, size, overlap };
}

/** Whether a value is what `passageRules` gives, for what was read from a file. */
export function arePassageRules(value: unknown): value is PassageRules {
  const { by, size, overlap } = Object(value) as { by: unknown; size: number; overlap: number };
  const whole = [size, overlap].every((count) => Number.isSafeInteger(count) && count >= 0);
  return by === 'function' || (KINDS.includes(by) && whole && size > 0);
}

function checkInteger(
  value: unknown,
  where: string,
  least: number,
  most: number,
  why: string,
): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  const range = `from ${least} to ${most}${most === MOST_SIZE ? '' : why}`;
  throw invalidArgument(where, `expected an integer ${range}, got ${showValue(value)}`);
}

const MARKDOWN = /\.(?:md|mdx|markdown|mkd|rst|org|adoc)$/i;
const CODE = new RegExp(
  '\\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|kts|scala|swift|[ch]|cc|cpp|cxx|hpp|hh|cs|m|mm|php|pl|' +
    'lua|r|jl|sh|bash|zsh|fish|ps1|sql|css|scss|less|vue|svelte|ex|exs|erl|hs|ml|clj|lisp|el|vim|' +
    'tf|proto|zig|nim|dart|groovy|gradle|cmake|toml|ya?ml|json|xml|ini|cfg|conf)$',
  'i',
);

/** What a text is cut by, where that depends on the ending of its document's id. */
export function cutBy(by: CutBy, id: string): Exclude<CutBy, 'auto'> {
  if (by !== 'auto') return by;
  if (MARKDOWN.test(id)) return 'markdown';
  return CODE.test(id) ? 'code' : 'text';
}
