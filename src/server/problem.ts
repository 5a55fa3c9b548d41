import { isLemurError, type LemurError, type LemurErrorCode } from '../errors.js';
import { escapeControls } from '../escape-controls.js';

/** What is answered where a request cannot be: RFC 9457. */
export class Problem extends Error {
  readonly status: number;
  /** For programs: the code of a `LemurError`, or one of the server's own. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(escapeControls(detail));
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Status of each kind of error, and what is said in place of its message; null: the message. */
const STATUSES: Readonly<Record<LemurErrorCode, readonly [status: number, detail: string | null]>> =
  {
    'invalid-argument': [400, null],
    'dimension-mismatch': [400, null],
    'not-finite': [400, null],
    'empty-document': [400, null],
    'read-only': [403, 'this collection is served for reading'],
    'duplicate-id': [409, null],
    'empty-corpus': [409, 'the collection has no documents'],
    'already-exists': [409, 'it is there already'],
    locked: [409, 'another process writes this collection'],
    'encoder-mismatch': [409, 'the collection was made with another encoder'],
    unsupported: [422, null],
    'missing-package': [503, 'the server lacks a package that its encoder needs'],
    offline: [503, 'the files of the encoder are not on the server'],
    // what a client asks for is looked up before: this is something that the server should have
    'not-found': [503, 'something that the server needs is not there'],
    closed: [503, 'the collection has been closed'],
    'bad-file': [500, 'a file of the collection is damaged'],
    'storage-failed': [500, 'the storage could not be read or written'],
    'source-failed': [500, 'a source of candidates failed'],
    'worker-failed': [500, 'a worker thread failed'],
    'device-lost': [503, 'the GPU of the server was lost'],
    deadlock: [500, 'calls wait for each other'],
  };

/** How the place of an error looks that is a path of this machine, or an address. */
const PATH = /^(\/|\.|~|[A-Za-z]:[\\/]|[a-z]+:\/\/)/;
/** A path of some folders, wherever it stands in a message. */
const PATHS = /(?:[A-Za-z]:\\|(?<![\w:/.])\/)(?:[^\s/\\'":;,()]+[\\/]){2,}[^\s'":;,()]*/g;

/**
 * The problem of whatever was thrown, without a path or a stack of this machine: `names` has what
 * storages call themselves, and what is said in place of it.
 */
export function problemOf(error: unknown, names: ReadonlyMap<string, string>): Problem {
  if (error instanceof Problem) return error;
  if (!isLemurError(error)) return new Problem(500, 'internal', 'something went wrong');
  const [status, detail] = STATUSES[error.code] ?? [500, 'something went wrong'];
  const said = detail ?? (isSaid(error) ? withoutPaths(error.message, names) : undefined);
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '5' } : {};
  return new Problem(status, error.code, said ?? 'the server cannot do this', headers);
}

/** Not what an encoder's files or a folder are wrong about. */
function isSaid({ fields }: LemurError): boolean {
  return !PATH.test(fields.where);
}

function withoutPaths(message: string, names: ReadonlyMap<string, string>): string {
  let text = message;
  for (const [storage, name] of names) text = text.replaceAll(storage, name);
  return text.replace(PATHS, '(a path)');
}

/** What statuses are called. */
const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** A problem as it is sent. */
export interface ProblemDetails {
  type: 'about:blank';
  title: string;
  status: number;
  detail: string;
  /** The same, where clients of Cohere's look for it. */
  message: string;
  code: string;
  requestId: string;
}

export function problemDetails(problem: Problem, requestId: string): ProblemDetails {
  const { status, message, code } = problem;
  const title = TITLES[status] ?? 'Error';
  return { type: 'about:blank', title, status, detail: message, message, code, requestId };
}

export function problemResponse(problem: Problem, requestId: string): Response {
  return new Response(JSON.stringify(problemDetails(problem, requestId)), {
    status: problem.status,
    headers: { ...problem.headers, 'content-type': 'application/problem+json' },
  });
}

export function badRequest(detail: string): Problem {
  return new Problem(400, 'invalid-argument', detail);
}

export function noSuch(what: string): Problem {
  return new Problem(404, 'not-found', what);
}
