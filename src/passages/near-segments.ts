/** What says which segment of a text a place lies in, as `Intl.Segments` does. */
export interface Containing {
  containing(at: number): { readonly index: number; readonly segment: string } | undefined;
}

/** Shorter texts are segmented as they are. */
const SHORT = 4096;
/** Characters around a place that are looked at in longer ones. */
const REACH = 512;

/** Behind the space between them a word begins, and a grapheme. */
const SPACE = /[\t\n\r ]/;
const LETTER = /[\x21-\x7e]/;

/**
 * The segments of a text by what is around each place, so that asking takes no longer in a text of
 * megabytes, or in a stretch of it without a break: what is longer than `REACH` to either side is
 * cut there.
 */
export function nearSegments(segmenter: Intl.Segmenter, text: string): Containing {
  if (text.length <= SHORT) return segmenter.segment(text);
  return {
    containing(place) {
      const at = Math.trunc(place) || 0;
      if (at < 0 || at >= text.length) return undefined;
      const from = beginBefore(text, at);
      const to = withoutHalf(text, Math.min(text.length, at + REACH));
      const found = segmenter.segment(text.slice(from, to)).containing(at - from);
      return found && { index: from + found.index, segment: found.segment };
    },
  };
}

/** The last place up to `at` where a segment surely begins, or else one that is near enough. */
function beginBefore(text: string, at: number): number {
  const least = Math.max(0, at - REACH);
  for (let from = at; from > least; from--)
    if (LETTER.test(text[from]) && SPACE.test(text[from - 1])) return from;
  return withoutHalf(text, least);
}

/** Not between the halves of a pair: before them. */
function withoutHalf(text: string, at: number): number {
  const isHalf = at > 0 && at < text.length && (text.codePointAt(at - 1) ?? 0) > 0xffff;
  return isHalf ? at - 1 : at;
}
