import type { Around, TokenizedText } from './tokenizer.js';

/** What becomes of texts of one kind, queries or documents, before the body and after it. */
export interface TextRecipe {
  /** A token put behind the first one, which tells the body the kind of text. */
  readonly marker: number | undefined;
  /** Text before each text, tokenized together with it. */
  readonly prompt: string;
  /** Of the prompt alone. */
  readonly promptTokens: number;
  /** Whether spaces around a text are taken off. */
  readonly strip: boolean;
  /**
   * Most tokens of a text, those around it, marker and prompt included; undefined: what the caller
   * says, or 180 of its own.
   */
  readonly length: number | undefined;
  /**
   * Shorter texts are filled up to `to` tokens with `token`; these get vectors, and the others look
   * at them only where they are `attended`.
   */
  readonly expansion:
    | { readonly to: number; readonly token: number; readonly attended: boolean }
    | undefined;
  /** Tokens that are read and get no vectors of their own. */
  readonly skip: ReadonlySet<number>;
  /** Whether the tokens around a text, and its marker, get vectors too. */
  readonly special: boolean;
}

/** A text as it is: nothing put to it, vectors for its own tokens alone. */
export const PLAIN: TextRecipe = {
  marker: undefined,
  prompt: '',
  promptTokens: 0,
  strip: false,
  length: undefined,
  expansion: undefined,
  skip: new Set(),
  special: false,
};

/** A text as the body takes it, and which of its states become vectors. */
export interface ArrangedText {
  readonly ids: Int32Array;
  /** How many of them, from the first on, the others look at. */
  readonly attended: number;
  /** Rows that become vectors, ascending; never none. */
  readonly rows: Int32Array;
  /**
   * [start, end) in the text for each of these, [0, 0) where it stands for nothing in it; undefined
   * where that is not known.
   */
  readonly spans: Int32Array | undefined;
}

/** Tokens that come to those of a prompt and a text by a recipe. */
export function extraTokens({ marker }: TextRecipe): number {
  return marker === undefined ? 2 : 3;
}

/**
 * First token, marker, those of prompt and text, last token, expansion. A text all of whose tokens
 * are skipped keeps them, and one without any keeps the first token's state, so that texts and
 * results stay aligned.
 */
export function arrange(
  { ids: own, spans: ownSpans }: TokenizedText,
  { first, last }: Around,
  recipe: TextRecipe,
): ArrangedText {
  const { marker, expansion, skip, special } = recipe;
  const before = marker === undefined ? 1 : 2;
  const real = before + own.length + 1;
  const length = Math.max(real, expansion?.to ?? 0);
  const ids = new Int32Array(length);
  ids[0] = first;
  if (marker !== undefined) ids[1] = marker;
  ids.set(own, before);
  ids[real - 1] = last;
  if (expansion) ids.fill(expansion.token, real);

  const isOwn = (row: number): boolean => row >= before && row < real - 1;
  const all = Array.from(ids.keys());
  let rows = all.filter((row) =>
    isOwn(row) ? !skip.has(ids[row]) : row >= real || (special && !skip.has(ids[row])),
  );
  if (rows.length === 0) rows = all.filter(isOwn);
  if (rows.length === 0) rows = [0];
  const spans = ownSpans && new Int32Array(2 * rows.length);
  if (spans) {
    for (const [i, row] of rows.entries())
      if (isOwn(row))
        spans.set(ownSpans.subarray(2 * (row - before), 2 * (row - before) + 2), 2 * i);
  }
  return { ids, attended: expansion?.attended ? length : real, rows: Int32Array.from(rows), spans };
}
