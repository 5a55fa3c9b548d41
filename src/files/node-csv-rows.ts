import { unsupported } from '../errors.js';
import { LongText } from '../long-text.js';
import type { Slices } from '../pacer.js';

/** How a table is written. */
export interface CsvFormat {
  readonly delimiter: string;
  readonly newline: string;
}

/** A row of a table. */
export interface CsvRow {
  /** How many cells it has. */
  readonly count: number;
  /** Two places of each: where it begins, as `~begin` for one in quotes, and where it ends. */
  readonly cells: readonly number[];
  /** Where the row ends, its line end included. */
  readonly end: number;
}

/** Rows as they come; undefined: a chance for other work. */
export type CsvRows = Generator<CsvRow | undefined, void, void>;

const DELIMITERS = [',', '\t', '|', ';', '\x1e', '\x1f'];
/** Rows by which a delimiter is chosen, and characters by which a line end is. */
const PREVIEW_ROWS = 10;
const PREVIEW_CHARACTERS = 1 << 20;
/** Cells of a row that are read. */
const MOST_CELLS = 1 << 20;
/** Cells, or quotes, and white space between two chances for other work. */
const CELLS_AT_ONCE = 256;
const SPACES_AT_ONCE = 1 << 14;

/** Line ends and delimiter of a table, chosen as Papa Parse 5 does where none is given. */
export function* csvFormat(text: string, given: string | undefined): Slices<CsvFormat> {
  const newline = yield* newlineOf(text);
  if (given !== undefined) return { delimiter: given, newline };
  // a delimiter behind the quote of another one's cell does not count, unless none does otherwise
  for (const isStrict of [true, false]) {
    let best = { delimiter: ',', uneven: Number.POSITIVE_INFINITY, mean: 0 };
    for (const delimiter of DELIMITERS) {
      const { uneven, mean } = yield* evennessOf(text, { delimiter, newline }, isStrict);
      const isBetter = uneven < best.uneven || (uneven === best.uneven && mean > best.mean);
      if (mean > 1.99 && isBetter) best = { delimiter, uneven, mean };
    }
    if (best.mean > 0) return { delimiter: best.delimiter, newline };
  }
  return { delimiter: ',', newline };
}

/** By the beginning of a text, what is in quotes left out. */
function* newlineOf(text: string): Slices<string> {
  const begin = text.slice(0, PREVIEW_CHARACTERS);
  const outside = new LongText();
  for (let at = 0, pairs = 1; ; pairs++) {
    if (pairs % CELLS_AT_ONCE === 0) yield;
    const open = begin.indexOf('"', at);
    const close = open < 0 ? -1 : begin.indexOf('"', open + 1);
    outside.put(begin.slice(at, close < 0 ? begin.length : open));
    if (close < 0) break;
    at = close + 1;
  }
  const own = outside.join();
  const first = own.indexOf('\r');
  const newline = own.indexOf('\n');
  if (first < 0 || (newline >= 0 && newline < first)) return '\n';
  let [parts, both] = [1, 0];
  for (let at = first; at >= 0; at = own.indexOf('\r', at + 1)) {
    parts++;
    if (own[at + 1] === '\n') both++;
    if (parts % CELLS_AT_ONCE === 0) yield;
  }
  return both >= parts / 2 ? '\r\n' : '\r';
}

/** How uneven the first rows are with a delimiter, and how many cells they have in the mean. */
function* evennessOf(
  text: string,
  format: CsvFormat,
  isStrict: boolean,
): Slices<{ uneven: number; mean: number }> {
  let [rows, empty, cells, uneven] = [0, 0, 0, 0];
  let before: number | undefined;
  for (const row of csvRows(text, format, { all: false, isStrict })) {
    if (!row) {
      yield;
      continue;
    }
    rows++;
    if (isEmptyRow(row)) empty++;
    else {
      cells += row.count;
      if (before !== undefined) uneven += Math.abs(row.count - before);
      before = row.count;
    }
    if (rows === PREVIEW_ROWS) break;
  }
  return { uneven, mean: cells / (rows - empty) };
}

/** Whether there is nothing on the line. */
export function isEmptyRow({ count, cells: [begin, end] }: CsvRow): boolean {
  return count === 1 && (begin < 0 ? ~begin : begin) === end;
}

/**
 * The rows of a table, empty lines among them, read as spreadsheets do: what is between a quote and
 * the delimiter is part of the cell, a quote that is never closed goes on to the end. `all`: all
 * cells, not the first alone. `isStrict`: as Papa Parse 5 does, to which a quote that no delimiter
 * follows closes nothing. Raises 'unsupported' for a row of more than 1,048,576 of those.
 */
export function* csvRows(
  text: string,
  format: CsvFormat,
  { all = true, isStrict = false }: { all?: boolean; isStrict?: boolean } = {},
): CsvRows {
  const { delimiter, newline } = format;
  let cells: number[] = [];
  let count = 0;
  const put = (begin: number, end: number): void => {
    if (all || count === 0) cells.push(begin, end);
    if (++count > MOST_CELLS && all) throw unsupported('.csv', `a row of over ${MOST_CELLS} cells`);
  };
  const row = (end: number): CsvRow => {
    const made = { count, cells, end };
    [cells, count] = [[], 0];
    return made;
  };
  const marks = new Marks(text, format);
  let at = 0;
  for (let work = 1; text !== ''; work++) {
    if (work % CELLS_AT_ONCE === 0) yield undefined;
    if (text[at] === '"') {
      const begin = at + 1;
      const { end, behind } = yield* (isStrict ? strictCell : quotedCell)(text, begin, marks);
      put(end < 0 ? begin : ~begin, end < 0 ? text.length : end);
      if (behind < 0) break;
      const isRow = text[behind] !== delimiter;
      at = behind + (isRow ? newline.length : 1);
      marks.pass(at);
      if (isRow) yield row(at);
    } else if (marks.delimiter >= 0 && (marks.delimiter < marks.newline || marks.newline < 0)) {
      put(at, marks.delimiter);
      at = marks.delimiter + 1;
      marks.pass(at);
    } else if (marks.newline >= 0) {
      put(at, marks.newline);
      at = marks.newline + newline.length;
      marks.pass(at);
      yield row(at);
    } else {
      put(at, text.length);
      break;
    }
  }
  if (count > 0) yield row(text.length);
}

/** Where the next delimiter and line end are; -1: there is none. */
class Marks {
  readonly #text: string;
  readonly #format: CsvFormat;
  delimiter: number;
  newline: number;

  constructor(text: string, format: CsvFormat) {
    this.#text = text;
    this.#format = format;
    this.delimiter = text.indexOf(format.delimiter);
    this.newline = text.indexOf(format.newline);
  }

  /** Those before a place count no more. */
  pass(at: number): void {
    const { delimiter, newline } = this.#format;
    if (this.delimiter >= 0 && this.delimiter < at)
      this.delimiter = this.#text.indexOf(delimiter, at);
    if (this.newline >= 0 && this.newline < at) this.newline = this.#text.indexOf(newline, at);
  }

  /** Whether one of them is there, and which. */
  isAt(mark: keyof CsvFormat, at: number): boolean {
    return this.#text.startsWith(this.#format[mark], at);
  }
}

/**
 * Where a cell in quotes ends, and where the delimiter or line end behind it is; -1: it is never
 * closed, or the text ends with it. It ends with the quote that closes it, or with what follows
 * that. Within it quotes stand twice.
 */
function* quotedCell(
  text: string,
  begin: number,
  marks: Marks,
): Generator<undefined, { end: number; behind: number }, void> {
  let close = text.indexOf('"', begin);
  for (let work = 1; close >= 0 && text[close + 1] === '"'; work++) {
    if (work % CELLS_AT_ONCE === 0) yield undefined;
    close = text.indexOf('"', close + 2);
  }
  if (close < 0) return { end: -1, behind: -1 };
  const from = close + 1;
  marks.pass(from);
  const { delimiter, newline } = marks;
  const isFirst = delimiter >= 0 && (newline < 0 || delimiter < newline);
  const behind = isFirst ? delimiter : newline;
  const end = behind < 0 ? text.length : behind;
  const isBare = end === from || (yield* spacesBefore(text, from, end)) > 0;
  return { end: isBare ? close : end, behind };
}

/** The same where a cell ends with the quote that a delimiter or line end follows. */
function* strictCell(
  text: string,
  begin: number,
  marks: Marks,
): Generator<undefined, { end: number; behind: number }, void> {
  let close = text.indexOf('"', begin);
  for (let work = 1; close >= 0 && close < text.length - 1; work++) {
    if (work % CELLS_AT_ONCE === 0) yield undefined;
    if (text[close + 1] !== '"') {
      const from = close + 1;
      marks.pass(from);
      const { delimiter, newline } = marks;
      const nearest = newline < 0 ? delimiter : Math.min(delimiter, newline);
      let behind = from + (yield* spacesBefore(text, from, nearest));
      if (marks.isAt('delimiter', behind)) return { end: close, behind };
      behind = from + (yield* spacesBefore(text, from, newline));
      if (marks.isAt('newline', behind)) return { end: close, behind };
    }
    close = text.indexOf('"', close + 2);
  }
  return { end: close, behind: -1 };
}

/** How much white space is between two places; 0 where there is anything else, or no such place. */
function* spacesBefore(text: string, from: number, to: number): Generator<undefined, number, void> {
  if (to <= from || !/\s/.test(text[from])) return 0;
  for (let at = from; at < to; at += SPACES_AT_ONCE) {
    if (/\S/.test(text.slice(at, Math.min(to, at + SPACES_AT_ONCE)))) return 0;
    if (at > from) yield undefined;
  }
  return to - from;
}
