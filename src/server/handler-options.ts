import type { Encoder } from '../encoder/encoder.js';
import { invalidArgument } from '../errors.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { describeKind, showValue } from '../value-kind.js';

/** A request that has been answered, for logs. */
export interface AnsweredRequest {
  /** As the answer has it in `x-request-id`. */
  id: string;
  /** As `GET`. */
  method: string;
  /** The route's template, as `/collections/{name}/search`; of what has no route the empty text. */
  route: string;
  /** Of the answer; 499 where the client has left. */
  status: number;
  /** From the request to the end of its answer. */
  milliseconds: number;
  /** What went wrong where the status is 500 or more, with all that the answer leaves out. */
  error?: unknown;
}

/** How a handler answers. */
export interface HandlerOptions {
  /**
   * Requests must have one of these keys, as `authorization: Bearer KEY` or `x-api-key: KEY`; but
   * for `/health`, `/ready`, `/openapi.json` and the search page, which asks for one. Default: none
   * is asked for.
   */
  apiKey?: string | readonly string[] | undefined;
  /**
   * Origins of pages that may ask from elsewhere, as `https://example.org`, or `'*'` for all.
   * Default none: what a page of another origin sends is refused.
   */
  cors?: '*' | readonly string[] | undefined;
  /**
   * Names of hosts that requests may be addressed to, without ports. A server on the loopback gives
   * its names here, so that no page can reach it by a name of its own. Default: any.
   */
  hosts?: readonly string[] | undefined;
  /** Refuses what changes a collection. Default false. */
  readOnly?: boolean | undefined;
  /**
   * Encodes for `/rerank` and the encoding routes where no collection is named. Default: the first
   * collection's that has one.
   */
  encoder?: Encoder | undefined;
  /**
   * Whether `/mcp` is there, and whether its tools may change collections (`'write'`). Default
   * true.
   */
  mcp?: boolean | 'write' | undefined;
  /** Whether browsers get the search page at `/`. Default true. */
  page?: boolean | undefined;
  /** Bytes of a body, and of a line of NDJSON; at most 2^26. Default 4 MiB. */
  maxBodyBytes?: number | undefined;
  /** A body, and each line of NDJSON, must come within this. Default 30,000. */
  bodyTimeoutMs?: number | undefined;
  /** Requests that compute at the same time. Default 4. */
  maxRunning?: number | undefined;
  /** Requests that wait for these; what is beyond is answered with 503. Default 128. */
  maxWaiting?: number | undefined;
  /** `close` waits for what is under way no longer than this. Default 10,000. */
  closeTimeoutMs?: number | undefined;
  /** Told of each request when its answer has ended; must not throw. */
  onRequest?: ((request: AnsweredRequest) => void) | undefined;
}

const NAMES: OptionNames<HandlerOptions> = {
  apiKey: true,
  cors: true,
  hosts: true,
  readOnly: true,
  encoder: true,
  mcp: true,
  page: true,
  maxBodyBytes: true,
  bodyTimeoutMs: true,
  maxRunning: true,
  maxWaiting: true,
  closeTimeoutMs: true,
  onRequest: true,
};

/** Those options with what is meant where nothing is said. */
export interface ResolvedHandlerOptions {
  readonly apiKeys: readonly string[];
  readonly cors: '*' | readonly string[];
  readonly hosts: readonly string[] | undefined;
  readonly readOnly: boolean;
  readonly encoder: Encoder | undefined;
  readonly mcp: boolean | 'write';
  readonly page: boolean;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly closeTimeoutMs: number;
  readonly onRequest: ((request: AnsweredRequest) => void) | undefined;
}

const MOST_BODY = 2 ** 26;
/** What timers take. */
const MOST_MS = 2 ** 31 - 1;

/** Raises 'invalid-argument'. */
export function resolveHandlerOptions(options: HandlerOptions): ResolvedHandlerOptions {
  checkOptions(options, NAMES, 'createHandler');
  const { apiKey, cors = [], hosts, encoder, onRequest } = options;
  const { readOnly = false, mcp = true, page = true } = options;
  const apiKeys = apiKey === undefined ? [] : typeof apiKey === 'string' ? [apiKey] : apiKey;
  checkTexts(apiKeys, 'apiKey');
  if (apiKey !== undefined && apiKeys.length === 0)
    throw invalidArgument('apiKey', 'no key, expected at least one, or undefined');
  if (cors !== '*') checkTexts(cors, 'cors');
  if (hosts !== undefined) checkTexts(hosts, 'hosts');
  for (const [name, value] of Object.entries({ readOnly, mcp, page }))
    if (typeof value !== 'boolean' && !(name === 'mcp' && value === 'write'))
      throw invalidArgument(name, `expected true or false, got ${showValue(value)}`);
  if (onRequest !== undefined && typeof onRequest !== 'function')
    throw invalidArgument('onRequest', `expected a function, got ${describeKind(onRequest)}`);
  return {
    apiKeys: [...apiKeys],
    cors: cors === '*' ? cors : [...cors],
    hosts: hosts?.map((host) => host.toLowerCase()),
    readOnly,
    encoder,
    mcp,
    page,
    maxBodyBytes: whole(options.maxBodyBytes, 'maxBodyBytes', 4 * 2 ** 20, 1, MOST_BODY),
    bodyTimeoutMs: whole(options.bodyTimeoutMs, 'bodyTimeoutMs', 30_000, 1, MOST_MS),
    maxRunning: whole(options.maxRunning, 'maxRunning', 4, 1, 1024),
    maxWaiting: whole(options.maxWaiting, 'maxWaiting', 128, 0, 2 ** 20),
    closeTimeoutMs: whole(options.closeTimeoutMs, 'closeTimeoutMs', 10_000, 0, MOST_MS),
    onRequest,
  };
}

function checkTexts(values: unknown, where: string): void {
  if (!Array.isArray(values))
    throw invalidArgument(where, `expected an array of strings, got ${describeKind(values)}`);
  for (const value of values)
    if (typeof value !== 'string' || value === '')
      throw invalidArgument(
        where,
        `expected strings that are not empty, got ${describeKind(value)}`,
      );
}

function whole(
  value: unknown,
  where: string,
  otherwise: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return otherwise;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  const expected = `expected an integer from ${least} to ${most}`;
  throw invalidArgument(where, `${expected}, got ${showValue(value)}`);
}
