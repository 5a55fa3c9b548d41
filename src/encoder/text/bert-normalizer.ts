import { type NormalizedText, through } from './normalized-text.js';

/** What a tokenizer.json's BertNormalizer does to a text. */
export interface BertNormalization {
  /** Control characters are removed, every whitespace becomes a space. */
  readonly clean: boolean;
  /** Spaces around Chinese characters. */
  readonly spaceChinese: boolean;
  readonly lowercase: boolean;
  /** Decomposed (NFD) without the marks of category Mn. */
  readonly stripAccents: boolean;
}

/**
 * Takes apart what the description of a normaliser says; undefined for one that is not a
 * BertNormalizer.
 */
export function bertNormalization(json: unknown): BertNormalization | undefined {
  const { type, clean_text, handle_chinese_chars, strip_accents, lowercase } = (json ??
    {}) as Record<string, unknown>;
  if (type !== 'BertNormalizer') return undefined;
  return {
    clean: Boolean(clean_text),
    spaceChinese: Boolean(handle_chinese_chars),
    lowercase: Boolean(lowercase),
    stripAccents: lowercase ? strip_accents !== false : Boolean(strip_accents),
  };
}

/**
 * What a character becomes before lower-casing, and the number of code units that are left of it in
 * the end.
 */
interface Character {
  readonly cleaned: string;
  readonly length: number;
}

/** Characters remembered by a normaliser; most texts have a few hundred. */
const REMEMBERED = 4096;

/**
 * A function that normalises as `@huggingface/tokenizers` does and says where each code unit comes
 * from. How many units a character leaves depends on that character alone, but not always which: a
 * sigma is lower-cased by its neighbours, and marks may change places. So the lengths are found
 * character by character, and the text as a whole.
 */
export function bertNormalizer(
  rules: BertNormalization,
): (source: NormalizedText) => NormalizedText {
  const known = new Map<number, Character>();
  const characterOf = (code: number): Character => {
    const found = known.get(code);
    if (found) return found;
    const cleaned = cleanCharacter(String.fromCodePoint(code), rules);
    const character = { cleaned, length: fold(cleaned, rules).length };
    if (known.size === REMEMBERED) known.clear();
    known.set(code, character);
    return character;
  };
  return (source) => {
    const original = source.text;
    const starts: number[] = [];
    const ends: number[] = [];
    let all = '';
    for (let at = 0, end = 0; at < original.length; at = end) {
      const code = original.codePointAt(at)!;
      end = at + (code > 0xffff ? 2 : 1);
      const { cleaned, length } = characterOf(code);
      all += cleaned;
      for (let i = 0; i < length; i++) {
        starts.push(at);
        ends.push(end);
      }
      if (length > 0 || cleaned === '') continue;
      // an accent that was stripped
      for (let i = ends.length - 1; i >= 0 && ends[i] === at; i--) ends[i] = end;
    }
    return through(source, { text: fold(all, rules), starts, ends });
  };
}

function cleanCharacter(char: string, { clean, spaceChinese }: BertNormalization): string {
  if (clean) {
    if (char === '\ufffd' || (/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(char) && !/[\t\n\r]/.test(char)))
      return '';
    if (/\s/.test(char)) return ' ';
  }
  return spaceChinese && isChinese(char.codePointAt(0)!) ? ` ${char} ` : char;
}

/**
 * Of the first plane only: the library looks at UTF-16 code units, and `preparedNormalizer` takes
 * the others.
 */
function isChinese(code: number): boolean {
  return (
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0xf900 && code <= 0xfaff)
  );
}

function fold(text: string, { lowercase, stripAccents }: BertNormalization): string {
  const lower = lowercase ? text.toLowerCase() : text;
  return stripAccents ? lower.normalize('NFD').replace(/\p{Mn}/gu, '') : lower;
}
