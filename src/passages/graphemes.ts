/** The same on every machine, whatever its language is. */
const LOCALE = 'en';

export const graphemeSegmenter: Intl.Segmenter = new Intl.Segmenter(LOCALE, {
  granularity: 'grapheme',
});
export const wordSegmenter: Intl.Segmenter = new Intl.Segmenter(LOCALE, { granularity: 'word' });
export const sentenceSegmenter: Intl.Segmenter = new Intl.Segmenter(LOCALE, {
  granularity: 'sentence',
});

/** Spaces that end a word; those of U+202F and U+FEFF may stand within one. */
export const SPACES: RegExp = /[^\S\u202f\ufeff]+/g;
const INK = /\S/;

/**
 * Characters that never join with their neighbours of this list: Latin, Greek, Cyrillic, Hebrew,
 * Arabic, punctuation, kana and Chinese.
 */
const ALONE =
  /[\t\n\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\u2010-\u2027\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60]/;

/**
 * Whether a place is between two graphemes. `from` is such a place before it; what is before that
 * does not matter.
 */
export function isGraphemeBreak(text: string, at: number, from: number): boolean {
  if (at <= 0 || at >= text.length) return true;
  if (ALONE.test(text[at - 1]) && ALONE.test(text[at])) return true;
  // whether there is a break depends on what is before it, and on one character behind it
  const around = graphemeSegmenter.segment(text.slice(from, at + 2));
  return around.containing(at - from)?.index === at - from;
}

/** Where words and marks begin between two places, the first left out; spaces have none. */
export function* wordBreaks(text: string, from: number, to: number): Generator<number, void, void> {
  for (const { index, segment } of wordSegmenter.segment(text.slice(from, to)))
    if (index > 0 && INK.test(segment)) yield from + index;
}

/** Characters whose graphemes are looked for in one go. */
const PART = 512;

/** Places between the graphemes of a text, its beginning and end left out. */
export function graphemeBreaks(text: string): number[] {
  const breaks: number[] = [];
  // a part at a time: each step takes longer in a long text
  for (let from = 0, size = PART; from < text.length; ) {
    const to = Math.min(text.length, from + size);
    // the last character of a part may be half of one
    const end = to < text.length ? to - 1 : to;
    let last = from;
    for (const { index } of graphemeSegmenter.segment(text.slice(from, to)))
      if (index > 0 && from + index < end) {
        last = from + index;
        breaks.push(last);
      }
    if (to === text.length) break;
    size = last === from ? 2 * size : PART;
    from = last;
  }
  return breaks;
}
