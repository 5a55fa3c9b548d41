import { abortable } from '../abortable.js';
import { isLemurError } from '../errors.js';
import { findInexactNumber, inexactProblem } from '../formats/json/inexact-numbers.js';
import { readJsonLines } from '../formats/json/jsonl.js';
import { nextMacrotask } from '../pacer.js';
import { describeKind } from '../value-kind.js';
import { badRequest, Problem } from './problem.js';

/** What a body may take. */
export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
}

/** JSON of which more is parsed in a turn of its own. */
const LONG_JSON = 2 ** 18;
/**
 * Arrays and objects within each other. Filters and metadata have up to 32 levels, which are 64 of
 * JSON; of thousands whatever goes through them by recursion runs out of stack.
 */
const MOST_LEVELS = 128;

/**
 * A body that is one JSON object. Raises a problem: 415, 413 before anything is parsed, 408, 400.
 */
export async function readObject(
  request: Request,
  limits: BodyLimits,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const value = await readJson(request, limits, signal);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest(`body: expected a JSON object, got ${describeKind(value)}`);
  // what is null is as good as not there
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries);
}

/** A body that is JSON. Raises as `readObject` does. */
export async function readJson(
  request: Request,
  limits: BodyLimits,
  signal: AbortSignal,
): Promise<unknown> {
  checkType(request, /^application\/(?:[\w.-]+\+)?json$/, 'application/json');
  const bytes = await readBytes(request, limits, signal);
  if (bytes.length > LONG_JSON) await nextMacrotask();
  checkLevels(bytes);
  const text = decoded(bytes);
  if (bytes.length > LONG_JSON) await nextMacrotask();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest(text.trim() === '' ? 'body: it is empty, expected JSON' : 'body: not JSON');
  }
  if (bytes.length > LONG_JSON) await nextMacrotask();
  const inexact = findInexactNumber(text);
  if (inexact) throw badRequest(`body: ${inexactProblem(inexact)}`);
  return value;
}

/** Whether the body is JSON lines, by its type. */
export function isLines(request: Request): boolean {
  return /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines)$/.test(typeOf(request));
}

/** The values of a body of JSON lines, as they come. Raises a problem: 413, 408, 400. */
export async function* readValues(
  request: Request,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  checkCoding(request);
  const reader = new BodyReader(request, bodyTimeoutMs, signal);
  try {
    const lines = readJsonLines(reader.chunks(), 'body', { maxLineBytes: maxBodyBytes });
    for await (const { line, value, text } of lines) {
      const inexact = findInexactNumber(text);
      if (inexact) throw badRequest(`body: line ${line}: ${inexactProblem(inexact)}`);
      yield value;
      reader.restart();
    }
  } catch (error) {
    if (!isLemurError(error, 'bad-file')) throw error;
    const { message } = error;
    throw / bytes; /.test(message) ? new Problem(413, 'too-large', message) : badRequest(message);
  } finally {
    reader.cancel();
  }
}

async function readBytes(
  request: Request,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const said = Number(request.headers.get('content-length') ?? 0);
  if (said > maxBodyBytes) throw tooLarge(maxBodyBytes);
  const reader = new BodyReader(request, bodyTimeoutMs, signal);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of reader.chunks()) {
      length += chunk.length;
      if (length > maxBodyBytes) throw tooLarge(maxBodyBytes);
      chunks.push(chunk);
    }
  } finally {
    reader.cancel();
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Reads a body, and counts how long it has waited for it. */
class BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #most: number;
  readonly #signal: AbortSignal;
  #waited = 0;

  constructor(request: Request, most: number, signal: AbortSignal) {
    this.#reader = request.body?.getReader();
    this.#most = most;
    this.#signal = signal;
  }

  /** The time begins anew. */
  restart(): void {
    this.#waited = 0;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = await this.#next();
      if (!chunk) return;
      yield chunk;
    }
  }

  /** Stops reading; the rest is not wanted. */
  cancel(): void {
    this.#reader?.cancel().catch(() => undefined);
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (!this.#reader) return undefined;
    const began = performance.now();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), Math.max(0, this.#most - this.#waited));
    const read = this.#reader.read();
    try {
      const { value } = await abortable(abortable(read, late.signal), this.#signal);
      return value;
    } catch {
      this.#signal.throwIfAborted();
      if (!late.signal.aborted) throw badRequest('body: it ended before it was complete');
      const problem = `the body did not come within ${this.#most} ms`;
      throw new Problem(408, 'timeout', problem);
    } finally {
      clearTimeout(timer);
      this.#waited += performance.now() - began;
    }
  }
}

function checkType(request: Request, wanted: RegExp, name: string): void {
  checkCoding(request);
  const type = typeOf(request);
  if (wanted.test(type)) return;
  const got = type === '' ? 'none' : type.slice(0, 80);
  throw new Problem(415, 'unsupported-type', `content-type: expected ${name}, got ${got}`);
}

/** What is packed is larger than it says. */
function checkCoding(request: Request): void {
  const coding = request.headers.get('content-encoding') ?? 'identity';
  if (/^(identity)?$/i.test(coding.trim())) return;
  const got = coding.slice(0, 80);
  throw new Problem(415, 'unsupported-type', `content-encoding: expected none, got ${got}`);
}

/** Before it is parsed. Brackets in strings do not count. */
function checkLevels(bytes: Uint8Array): void {
  let [level, isText] = [0, false];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === 0x22) isText = !isText;
    else if (isText) i += Number(byte === 0x5c);
    else if (byte === 0x5b || byte === 0x7b) level++;
    else if (byte === 0x5d || byte === 0x7d) level--;
    if (level > MOST_LEVELS)
      throw badRequest(`body: more than ${MOST_LEVELS} levels of arrays and objects`);
  }
}

function typeOf(request: Request): string {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  return type.trim().toLowerCase();
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest('body: not UTF-8');
  }
}

function tooLarge(most: number): Problem {
  return new Problem(413, 'too-large', `the body is larger than ${most} bytes`);
}
