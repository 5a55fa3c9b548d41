import { escapeControls } from './escape-controls.js';

/** The fields each kind of error carries. `where` names the argument, file or function at fault. */
export interface LemurErrorFields {
  /** An argument is of the wrong type, out of range, or contradicts another. */
  'invalid-argument': { where: string };
  /** A vector has another dimension than the rest, the model or the index. */
  'dimension-mismatch': { where: string; expected: number; got: number };
  /**
   * A value of a vector that is no number, NaN, infinite, or beyond 1e15, whose products would be;
   * `row` and `column` locate it.
   */
  'not-finite': { where: string; row: number; column: number };
  /** A document or query without a single token vector. */
  'empty-document': { where: string; index: number };
  /** A collection without a single document. */
  'empty-corpus': { where: string };
  /** A file, folder or model that is not there. */
  'not-found': { where: string };
  /** A file that is truncated, damaged or not of its format. */
  'bad-file': { where: string };
  /**
   * A file of a newer or unknown version of its format, or something that this platform or object
   * cannot do.
   */
  unsupported: { where: string };
  /** An optional package that this call needs is not installed. */
  'missing-package': { where: string; package: string };
  /**
   * A model's files are not on this machine, and the network did not give them; or a service that
   * encodes did not answer.
   */
  offline: { where: string };
  /** The object was closed before or during the call. */
  closed: { where: string };
  /** A collection, or a file, is there already. */
  'already-exists': { where: string };
  /** Another writer has the collection open; `owner` says who. */
  locked: { where: string; owner: string };
  /** A collection that was opened for reading. */
  'read-only': { where: string };
  /** A document of this id is there already. */
  'duplicate-id': { where: string; id: string };
  /** A collection was made with another encoder. */
  'encoder-mismatch': { where: string; expected: string; got: string };
  /**
   * A storage could not read or write, or did not keep what was written: full, not allowed, broken,
   * moved away; `cause` has the system's error.
   */
  'storage-failed': { where: string };
  /** A candidate source that a search was given failed; `cause` has its error. */
  'source-failed': { where: string };
  /** A worker thread failed; `cause` has its error. */
  'worker-failed': { where: string };
  /** A GPU was lost, with all that lay on it: reset, taken away, or out of memory. */
  'device-lost': { where: string };
  /**
   * A call that is made, and would be awaited, inside of what a call of the same object is waiting
   * for: each would wait for the other.
   */
  deadlock: { where: string };
}

/** The kinds of `LemurError`. */
export type LemurErrorCode = keyof LemurErrorFields;

/**
 * Every error that this package raises on purpose; `code` tells the kind and narrows `fields`. The
 * message is one line without control characters, whatever is quoted in it; `fields` have what was
 * given. An aborted call rejects with the signal's own reason instead.
 */
export class LemurError<C extends LemurErrorCode = LemurErrorCode> extends Error {
  /** Tells this class in other realms and copies of the package. */
  override readonly name: string = 'LemurError';
  /** The kind of error. */
  readonly code: C;
  /** The particulars of that kind: `where`, and what else it has. */
  readonly fields: LemurErrorFields[C];
  /** Of `Index.add`: how many of its documents are in the collection, safe; the others are not. */
  readonly committed?: number | undefined;

  constructor(
    code: C,
    message: string,
    fields: LemurErrorFields[C],
    options?: { cause?: unknown; committed?: number },
  ) {
    super(escapeControls(message), options);
    this.code = code;
    this.fields = fields;
    if (options?.committed !== undefined) this.committed = options.committed;
  }
}

/**
 * Whether `error` is a `LemurError`, of the given code when one is named. Works across copies of
 * the package.
 *
 * @example
 * try {
 *   await index.add(documents);
 * } catch (error) {
 *   if (!isLemurError(error, 'duplicate-id')) throw error;
 *   console.log(`${error.fields.id} is there already`);
 * }
 */
export function isLemurError<C extends LemurErrorCode = LemurErrorCode>(
  error: unknown,
  code?: C,
): error is LemurError<C> {
  const e = error as LemurError | null;
  return (
    typeof e === 'object' &&
    e !== null &&
    e.name === 'LemurError' &&
    (code === undefined || e.code === code)
  );
}

/** An argument of the wrong type or out of range: says what was expected and what was got. */
export function invalidArgument(
  where: string,
  problem: string,
  cause?: unknown,
): LemurError<'invalid-argument'> {
  return errorAt('invalid-argument', where, problem, cause);
}

/** A file that is truncated, damaged or not of its format. */
export function badFile(where: string, problem: string, cause?: unknown): LemurError<'bad-file'> {
  return errorAt('bad-file', where, problem, cause);
}

/** A format of an unknown version, or something that this platform or object cannot do. */
export function unsupported(
  where: string,
  problem: string,
  cause?: unknown,
): LemurError<'unsupported'> {
  return errorAt('unsupported', where, problem, cause);
}

/** A file, folder or model that is not there. */
export function notFound(where: string, problem: string, cause?: unknown): LemurError<'not-found'> {
  return errorAt('not-found', where, problem, cause);
}

/** A storage that could not read or write, or did not keep what was written. */
export function storageFailed(
  where: string,
  problem: string,
  cause?: unknown,
): LemurError<'storage-failed'> {
  return errorAt('storage-failed', where, problem, cause);
}

/** The kinds that say no more than where and what. */
type PlainCode = 'invalid-argument' | 'bad-file' | 'unsupported' | 'not-found' | 'storage-failed';

function errorAt<C extends PlainCode>(
  code: C,
  where: string,
  problem: string,
  cause: unknown,
): LemurError<C> {
  const fields = { where } as LemurErrorFields[C];
  return new LemurError(code, `${where}: ${problem}`, fields, cause === undefined ? {} : { cause });
}
