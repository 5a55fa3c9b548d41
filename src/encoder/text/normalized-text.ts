/**
 * A text made of another one, and for each of its UTF-16 code units where in the original it comes
 * from: [starts[i], ends[i]), both ascending.
 */
export interface NormalizedText {
  readonly text: string;
  readonly starts: ArrayLike<number>;
  /**
   * What a unit was made of or with: accents that were stripped belong to the character before
   * them, when they follow it directly.
   */
  readonly ends: ArrayLike<number>;
}

/** A text that nothing was done to. Both halves of a surrogate pair come from the whole. */
export function asItIs(text: string): NormalizedText {
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
    for (let unit = at; unit < end; unit++) {
      starts[unit] = at;
      ends[unit] = end;
    }
  }
  return { text, starts, ends };
}

/** Units [from, to), of an original that begins `shift` units into a larger one. */
export function part(
  { text, starts, ends }: NormalizedText,
  from: number,
  to: number,
  shift = 0,
): NormalizedText {
  return {
    text: text.slice(from, to),
    starts: moved(starts, from, to, shift),
    ends: moved(ends, from, to, shift),
  };
}

function moved(places: ArrayLike<number>, from: number, to: number, shift: number): Int32Array {
  const out = new Int32Array(to - from);
  for (let i = from; i < to; i++) out[i - from] = places[i] + shift;
  return out;
}

/** What was made of a text that is itself made of another: places are those in the first. */
export function through(source: NormalizedText, made: NormalizedText): NormalizedText {
  const { length } = made.text;
  const [starts, ends] = [new Int32Array(length), new Int32Array(length)];
  for (let i = 0; i < length; i++) {
    starts[i] = source.starts[made.starts[i]];
    ends[i] = source.ends[made.ends[i] - 1];
  }
  return { text: made.text, starts, ends };
}

/**
 * A text under way, written from the beginning of its source to the end; what is passed over is
 * left out.
 */
export interface Rewriting {
  /** Units [from, to) of the source as they are. */
  keep(from: number, to: number): void;
  /**
   * Something for units [from, to) of the source: each of its units comes from all of them. With
   * `from` = `to` it is put in before that unit.
   */
  put(content: string, from: number, to: number): void;
  /**
   * Units [from, to) of the source are left out; where they follow directly on what was written
   * last, they are part of its place.
   */
  absorb(from: number, to: number): void;
  done(): NormalizedText;
}

export function rewriting(source: NormalizedText): Rewriting {
  let text = '';
  const starts: number[] = [];
  const ends: number[] = [];
  const last = source.text.length - 1;
  /** Where unit `at` begins, or the source ends. */
  const placeOf = (at: number): number =>
    at <= last ? source.starts[at] : last < 0 ? 0 : source.ends[last];
  return {
    keep(from, to) {
      text += source.text.slice(from, to);
      for (let i = from; i < to; i++) {
        starts.push(source.starts[i]);
        ends.push(source.ends[i]);
      }
    },
    put(content, from, to) {
      text += content;
      const start = placeOf(from);
      const end = from < to ? source.ends[to - 1] : start;
      for (let i = 0; i < content.length; i++) {
        starts.push(start);
        ends.push(end);
      }
    },
    absorb(from, to) {
      for (let i = ends.length - 1; i >= 0 && ends[i] === source.starts[from]; i--)
        ends[i] = source.ends[to - 1];
    },
    done: () => ({ text, starts, ends }),
  };
}

/** Every match of a global pattern replaced, literally. */
export function replaceMatches(
  source: NormalizedText,
  pattern: RegExp,
  content: string,
): NormalizedText {
  const out = rewriting(source);
  let at = 0;
  for (const match of source.text.matchAll(pattern)) {
    out.keep(at, match.index);
    at = match.index + match[0].length;
    out.put(content, match.index, at);
  }
  if (at === 0) return source;
  out.keep(at, source.text.length);
  return out.done();
}
