/** A word of a text, as it is looked for. */
export interface Word {
  /**
   * In Unicode's form NFKC and lower case, letters that capitals do not tell apart as one, an
   * English plural without its s, cut to 128 code units.
   */
  readonly term: string;
  /** Where it stands in the text, [start, end) in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** The term as segments of an earlier version have it; undefined: it is the same. */
  readonly earlier?: string;
}

/** Code units of a term; longer ones are cut, in documents and queries alike. */
const MOST_TERM = 128;

/**
 * Letters, digits and marks, by properties of Unicode that its versions keep; with signs between
 * them as names have, and the ends of `C++` and `C#`. Stretches of thousands of characters are
 * several.
 */
const NAMES =
  /[\p{L}\p{N}\p{M}]{1,4096}(?:[_.:/@\\-]{1,2}[\p{L}\p{N}\p{M}]{1,4096}){0,64}(?:(?:\+\+|#)(?![\p{L}\p{N}\p{M}]))?/gu;
/** What joins the parts of a name. */
const SIGNS = /[_.:/@\\+#-]+/gu;
/** Capitals that begin a part: of `getUserById`, `HTTPServer`, not of `mRNA`, `pH`, `IDs`. */
const CAPITALS = /(?<=\p{L}\p{Ll})(?=\p{Lu})|(?<=[\p{Lu}\p{N}])(?=\p{Lu}\p{Ll}{2})/gu;
/** Scripts without spaces between words, in stretches of them and of all else. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}]/u;
const STRETCHES =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}]+|[^\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}]+/gu;
const CHARACTERS = /\P{M}\p{M}*|\p{M}+/gu;
/** What has no parts. */
const PLAIN = /^[A-Z]?[a-z]*$|^[0-9]+$/;
/** Words that only hyphens join are a name where there is a digit: `CVE-2024-3094`. */
const NO_HYPHENS = /[_.:/@\\+#\p{N}]/u;
/** What lower case leaves apart, though capitals do not: sharp s, final sigma, the dotted i. */
const UNLIKE = /ß|ς|i\u0307/gu;
const ALIKE: Readonly<Record<string, string>> = { ß: 'ss', ς: 'σ', 'i\u0307': 'i' };
/** English words that may be plurals. */
const LETTERS = /^[a-z]{4,}$/;

/**
 * The words of a text in order, the same on every machine: no tables of the engine are asked, but
 * for properties of characters. A name (`ERR_MODULE_NOT_FOUND`, `node:fs`, `getUserById`, `v1.2.3`)
 * is a word, and its parts are too. Chinese, Japanese, Thai, Lao and Khmer are words of two
 * characters each that overlap, and in documents those of one as well, so that a query of one
 * character finds them.
 */
export function* wordsOf(
  text: string,
  role: 'document' | 'query',
): Generator<Word, void, undefined> {
  for (const { 0: name, index: start } of text.matchAll(NAMES)) {
    // most are: the quick way
    if (PLAIN.test(name)) {
      const term = shortened(name.toLowerCase());
      yield { term, start, end: start + name.length };
    } else if (UNSPACED.test(name)) {
      for (const { 0: part, index: at } of split(name, SIGNS))
        for (const { 0: stretch, index: from } of part.matchAll(STRETCHES))
          if (UNSPACED.test(stretch)) yield* pairs(stretch, start + at + from, role);
          else yield* named(stretch, start + at + from);
    } else yield* named(name, start);
  }
}

/** A stretch of a text, as `matchAll` says it. */
interface Stretch {
  readonly 0: string;
  readonly index: number;
}

/** A name, and what it is made of. */
function* named(name: string, start: number): Generator<Word, void, undefined> {
  if (!name.includes('-') || NO_HYPHENS.test(name)) yield wordAt(name, start);
  const parts = split(name, SIGNS);
  for (const { 0: part, index: at } of parts) {
    if (part.length < name.length) yield wordAt(part, start + at);
    const humps = split(part, CAPITALS);
    if (humps.length > 1)
      for (const { 0: hump, index: from } of humps) yield wordAt(hump, start + at + from);
  }
}

/** What is between matches, empty stretches left out. */
function split(text: string, between: RegExp): Stretch[] {
  const parts: Stretch[] = [];
  let from = 0;
  for (const { 0: match, index } of text.matchAll(between)) {
    if (index > from) parts.push({ 0: text.slice(from, index), index: from });
    from = index + match.length;
  }
  if (from < text.length) parts.push({ 0: text.slice(from), index: from });
  return parts;
}

/** Characters with their marks, two and two; alone where there is one, and in documents. */
function* pairs(
  stretch: string,
  start: number,
  role: 'document' | 'query',
): Generator<Word, void, undefined> {
  let before: Stretch | undefined;
  for (const { 0: character, index } of stretch.matchAll(CHARACTERS)) {
    if (role === 'document' || character.length === stretch.length)
      yield wordAt(character, start + index);
    if (before) yield wordAt(before[0] + character, start + before.index);
    before = { 0: character, index };
  }
}

function wordAt(text: string, start: number): Word {
  const lower = text.normalize('NFKC').toLowerCase();
  const folded = lower.replace(UNLIKE, (characters) => ALIKE[characters] ?? characters);
  const place = { term: shortened(folded), start, end: start + text.length };
  return folded === lower ? place : { ...place, earlier: shortened(lower) };
}

function shortened(word: string): string {
  return word.length > MOST_TERM ? word.slice(0, MOST_TERM) : singular(word);
}

/** An English plural without its ending, by the three rules of Harman's S stemmer (1991). */
function singular(word: string): string {
  if (!word.endsWith('s') || !LETTERS.test(word)) return word;
  if (word.endsWith('ies') && !/[ae]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (word.endsWith('es')) return /[aeo]es$/.test(word) ? word : word.slice(0, -1);
  return /[us]s$/.test(word) ? word : word.slice(0, -1);
}
