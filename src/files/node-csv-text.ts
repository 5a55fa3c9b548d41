import { unsupported } from '../errors.js';
import { LongText } from '../long-text.js';
import { type Slices, stepPacer } from '../pacer.js';
import { type CsvRow, csvFormat, csvRows, isEmptyRow } from './node-csv-rows.js';

/** Characters, and cells, between two chances for other work, and the steps that they count as. */
const CHARACTERS_AT_ONCE = 1 << 14;
const CELLS_AT_ONCE = 256;
const STEPS = 512;
/** Characters of a column's name that stand before its cells. */
const MOST_NAME = 256;
/** Characters of the text, as many as a document may have. */
const MOST_TEXT = 1 << 24;

/** A first line that names the delimiter to spreadsheets. */
const NAMED = /^(?:"sep=([^"\r\n])"|sep=([^"\r\n]))[^\S\r\n]*(?:\r\n?|\n)/i;

/**
 * A table as a text with its lines: a line a row, its cells behind the names that the first row
 * gives them, and empty lines where a row has several, or none. Gives way to other work. Rejects
 * with 'unsupported' for a row of more than 1,048,576 cells, and a text of more than 2^24
 * characters: names may be many times as long as cells.
 */
export async function csvText(csv: string): Promise<string> {
  const step = stepPacer();
  const [named = '', quoted, bare] = NAMED.exec(csv) ?? [];
  const work = textOf(csv.slice(named.length), quoted ?? bare);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    const wait = step(STEPS);
    if (wait) await wait;
  }
}

/** With an empty line for the one that named the delimiter. */
function* textOf(csv: string, delimiter: string | undefined): Slices<string> {
  const format = yield* csvFormat(csv, delimiter);
  const text = new LongText();
  let names: readonly string[] | undefined;
  /** Lines before the one that comes, and line ends that are written. */
  let [lines, written, from, work, characters] = [delimiter === undefined ? 0 : 1, 0, 0, 0, 0];
  for (const row of csvRows(csv, format)) {
    if (!row || ++work % CELLS_AT_ONCE === 0) yield;
    if (!row || isEmptyRow(row)) continue;
    characters += row.end - from;
    if (characters >= CHARACTERS_AT_ONCE) {
      characters = 0;
      yield;
    }
    const own = yield* cellsOf(csv, row);
    const { before, all, hasInk } = yield* linesOf(csv, from, row.end);
    from = row.end;
    let isFirst = true;
    for (let i = 0; i < own.length; i++) {
      if (i % CELLS_AT_ONCE === CELLS_AT_ONCE - 1) yield;
      if (own[i] === '') continue;
      if (isFirst) {
        for (; written < lines + before; written++) {
          if (written % CELLS_AT_ONCE === 0) yield;
          text.put('\n');
        }
      } else text.put('; ');
      isFirst = false;
      if (names?.[i]) text.put(`${names[i]}: `);
      text.put(own[i]);
      if (text.length > MOST_TEXT)
        throw unsupported('.csv', 'over 2^24 characters with the names of its columns');
    }
    names ??= own.map((name) => name.slice(0, MOST_NAME));
    lines += Math.max(all, hasInk ? before + 1 : 1);
  }
  text.put('\n');
  return text.join();
}

/** What the cells of a row say, each in one line. */
function* cellsOf(csv: string, { count, cells }: CsvRow): Slices<string[]> {
  const own: string[] = [];
  let characters = 0;
  for (let i = 0; i < count; i++) {
    const [begin, end] = [cells[2 * i], cells[2 * i + 1]];
    const isQuoted = begin < 0;
    const from = isQuoted ? ~begin : begin;
    characters += end - from;
    if (i % CELLS_AT_ONCE === CELLS_AT_ONCE - 1 || characters >= CHARACTERS_AT_ONCE) {
      characters = 0;
      yield;
    }
    own.push(
      end - from <= CHARACTERS_AT_ONCE
        ? inOneLine(isQuoted ? unquoted(csv.slice(from, end)).text : csv.slice(from, end)).trim()
        : yield* longCell(csv, from, end, isQuoted),
    );
  }
  return own;
}

function inOneLine(part: string): string {
  return part.replace(/\s+/g, ' ');
}

/** Part of a cell whose quotes stand twice until it is closed; what follows that is as it is. */
function unquoted(part: string): { text: string; isClosed: boolean } {
  let close = part.indexOf('"');
  while (close >= 0 && part[close + 1] === '"') close = part.indexOf('"', close + 2);
  const inside = (close < 0 ? part : part.slice(0, close)).replaceAll('""', '"');
  return close < 0
    ? { text: inside, isClosed: false }
    : { text: inside + part.slice(close + 1), isClosed: true };
}

function* longCell(csv: string, begin: number, end: number, isQuoted: boolean): Slices<string> {
  const text = new LongText();
  let endsWithSpace = false;
  let isOpen = isQuoted;
  for (let at = begin; at < end; ) {
    let to = Math.min(end, at + CHARACTERS_AT_ONCE);
    // quotes are two and two from the first on
    let first = to;
    while (first > at && csv[first - 1] === '"') first--;
    if (isOpen && to < end && (to - first) % 2 === 1 && csv[to] === '"') to++;
    let own = csv.slice(at, to);
    if (isOpen) {
      const read = unquoted(own);
      own = read.text;
      isOpen = !read.isClosed;
    }
    const part = inOneLine(own);
    text.put(endsWithSpace && part.startsWith(' ') ? part.slice(1) : part);
    endsWithSpace = part.endsWith(' ');
    at = to;
    yield;
  }
  return text.join().trim();
}

/** Line ends of a stretch, and of those how many are before the first that is no white space. */
function* linesOf(
  csv: string,
  from: number,
  to: number,
): Slices<{ before: number; all: number; hasInk: boolean }> {
  let [before, all, hasInk] = [0, 0, false];
  for (let at = from; at < to; at += CHARACTERS_AT_ONCE) {
    if (at > from) yield;
    const part = csv.slice(at, Math.min(to, at + CHARACTERS_AT_ONCE));
    const ink = hasInk ? 0 : part.search(/\S/);
    if (!hasInk) before += newlines(ink < 0 ? part : part.slice(0, ink));
    hasInk ||= ink >= 0;
    all += newlines(part);
  }
  return { before, all, hasInk };
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
