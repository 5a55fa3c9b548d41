import { ownBytes } from '../../bytes/typed-array.js';
import { badFile, invalidArgument, type LemurError } from '../../errors.js';
import { nextMacrotask, stepPacer } from '../../pacer.js';
import { describeKind, kindOf } from '../../value-kind.js';
import { excerpt } from './show-json.js';

/**
 * Bytes that arrive in chunks: a web stream (`response.body`, `blob.stream()`) or anything to be
 * read by `for await`, such as Node's streams.
 */
export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** One line of text without its line ending; the first line has number 1. */
export interface TextLine {
  readonly line: number;
  readonly text: string;
}

/** One line's parsed value. */
export interface JsonLine {
  readonly line: number;
  readonly value: unknown;
  /** The JSON text. */
  readonly text: string;
}

/** Options of `readLines` and `readJsonLines`. */
export interface LineOptions {
  /**
   * A longer line raises `bad-file` before it is held in memory as a whole. Default: 6 MiB, which
   * is read and parsed without holding the thread for long.
   */
  maxLineBytes?: number | undefined;
}

/** Bytes of a line at most, if nothing else is said. */
const MOST_LINE_BYTES: number = 6 * 2 ** 20;
/** Longer lines are decoded in one turn of the event loop and parsed in the next. */
const LONG_LINE = 2 ** 20;
/** Line ends one after the other that are one step. */
const BLANK_LINES = 64;

/**
 * The lines of a UTF-8 text, as they arrive. Lines end with LF or CRLF, the last one with nothing
 * too; a byte order mark is dropped; lines of white space alone are counted but not yielded.
 * `where` names the file in errors. Gives way to other work every 4,096 lines, blank ones 64 times
 * as many. Raises `bad-file` for a line that is too long or not UTF-8. Leaving the loop early
 * cancels the source.
 */
export async function* readLines(
  source: ByteStream,
  where: string,
  options: LineOptions = {},
): AsyncGenerator<TextLine, void, undefined> {
  const step = stepPacer();
  const pending = new PendingLine(where, options.maxLineBytes ?? MOST_LINE_BYTES);
  let line = 1;
  for await (const given of chunksOf(source)) {
    if (kindOf(given) !== 'Uint8Array') {
      throw invalidArgument(
        where,
        `expected chunks of bytes (Uint8Array), got ${describeKind(given)}`,
      );
    }
    const chunk = ownBytes(given, where);
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const wait = step();
      if (wait) await wait;
      // blank, as most lines of a file that unpacks to gigabytes of them are
      if (pending.bytes === 0 && (end === start || (end === start + 1 && chunk[start] === 13))) {
        const most = Math.min(chunk.length, end + BLANK_LINES);
        for (start = end; start < most && chunk[start] === 10; start++) line++;
        continue;
      }
      pending.take(chunk.subarray(start, end), line);
      const long = pending.bytes > LONG_LINE;
      const text = pending.finish(line);
      if (long) await nextMacrotask();
      if (text.trim() !== '') yield { line, text };
      line++;
      start = end + 1;
    }
    // copied, since a source may fill its buffer anew
    if (start < chunk.length) pending.take(chunk.slice(start), line);
  }
  const text = pending.finish(line);
  if (text.trim() !== '') yield { line, text };
}

/** Pieces of a line whose end has not come yet. */
class PendingLine {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #where: string;
  readonly #most: number;
  #pieces: Uint8Array[] = [];
  bytes = 0;

  constructor(where: string, most: number) {
    this.#where = where;
    this.#most = most;
  }

  /** Keeps the piece. Raises 'bad-file' when the line becomes too long. */
  take(piece: Uint8Array, line: number): void {
    this.bytes += piece.length;
    if (this.bytes > this.#most) {
      const problem = `more than ${this.#most} bytes; is this one object a line? ${TOO_LONG}`;
      throw badLine(this.#where, line, problem);
    }
    if (piece.length > 0) this.#pieces.push(piece);
  }

  /** The line's text; the next piece begins another line. Raises 'bad-file' for other bytes. */
  finish(line: number): string {
    let text: string;
    try {
      text = this.#decoder.decode(joined(this.#pieces, this.bytes));
    } catch (cause) {
      throw badLine(this.#where, line, 'not UTF-8', cause);
    }
    this.#pieces = [];
    this.bytes = 0;
    if (line === 1 && text.startsWith('\ufeff')) text = text.slice(1);
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  }
}

const TOO_LONG =
  'A longer text can be given as a file of its own, and token vectors as .npy or safetensors';

/** For who gives one JSON value over several lines, or an array of all. */
export const ONE_A_LINE: string = 'JSON lines are one object on each line, no array around them';

/**
 * The values of a JSON Lines text, as they arrive: `readLines`, each line parsed. Raises `bad-file`
 * with the line's number where one is not JSON.
 */
export async function* readJsonLines(
  source: ByteStream,
  where: string,
  options: LineOptions = {},
): AsyncGenerator<JsonLine, void, undefined> {
  for await (const { line, text } of readLines(source, where, options)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      const advice = /^\s*[[{]\s*$/.test(text) ? `; ${ONE_A_LINE}` : '';
      throw badLine(where, line, `not JSON: ${excerpt(text)}${advice}`, cause);
    }
    yield { line, value, text };
  }
}

/** Not every browser iterates streams by `for await`, so they are read by their reader. */
async function* chunksOf(source: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
  if (!('getReader' in source)) {
    yield* source;
    return;
  }
  const reader = source.getReader();
  let open = true;
  try {
    while (open) {
      const { done, value } = await reader.read();
      open = !done;
      if (value !== undefined) yield value;
    }
  } finally {
    if (open) await reader.cancel().catch(() => {}); // the error that led here counts
    reader.releaseLock();
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

function badLine(where: string, line: number, problem: string, cause?: unknown): LemurError {
  return badFile(where, `line ${line}: ${problem}`, cause);
}
