/** The same on every machine, whatever its language is. */
const LOCALE = 'en';

export const graphemeSegmenter: Intl.Segmenter = new Intl.Segmenter(LOCALE, {
  granularity: 'grapheme',
});
export const wordSegmenter: Intl.Segmenter = new Intl.Segmenter(LOCALE, { granularity: 'word' });
export const sentenceSegmenter: Intl.Segmenter = new Intl.Segmenter(LOCALE, {
  granularity: 'sentence',
});

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

/** Places between the graphemes of a text, its beginning and end left out. */
export function graphemeBreaks(text: string): number[] {
  const breaks: number[] = [];
  for (const { index } of graphemeSegmenter.segment(text)) if (index > 0) breaks.push(index);
  return breaks;
}
