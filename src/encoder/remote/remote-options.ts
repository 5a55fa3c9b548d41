import { invalidArgument } from '../../errors.js';
import { checkOptions, type OptionNames } from '../../known-options.js';
import { describeKind, showValue } from '../../value-kind.js';

/** Whose form a service has: how texts are asked for, and how token vectors are answered. */
export type RemoteStyle = 'jina' | 'vllm' | 'pylate' | 'next-plaid';

/** A service that encodes, and how it is asked. */
export interface RemoteEncoderOptions {
  /** Where it is, without the path of its form: `https://api.jina.ai`, `http://localhost:8000`. */
  url: string | URL;
  /**
   * `jina`: `POST /v1/multi-vector`. `vllm`: `POST /pooling`, of a model that pools token by token.
   * `pylate`: `POST /v1/embeddings` of PyLate's server. `next-plaid`: `POST /encode`.
   */
  style: RemoteStyle;
  /**
   * The model's name, part of the encoder's `id`: another one is another encoder. Jina and vLLM are
   * asked for it. For a service with a single model a name of your own that changes with it.
   */
  model: string;
  /** Sent as `authorization: Bearer KEY`; no message has it. */
  apiKey?: string | undefined;
  /** Further headers. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Dimension of the token vectors. Default: the service is asked once, with one word. */
  dim?: number | undefined;
  /**
   * Put before each question, for services that read texts as they are, as vLLM does: the model's
   * marker and prompt. Part of the `id`. Default: nothing.
   */
  queryPrefix?: string | undefined;
  /** The same of documents. */
  documentPrefix?: string | undefined;
  /** Tokens of a text that the service reads; passages are cut by it. Default: not known. */
  documentTokens?: number | undefined;
  /** Texts of a request; at most 256. Default 8: an answer is parsed without holding the thread. */
  batchSize?: number | undefined;
  /** Requests at the same time; at most 64. Default 2. */
  concurrency?: number | undefined;
  /** Requests are begun no faster than this. Default: as fast as they are answered. */
  requestsPerMinute?: number | undefined;
  /** A request is given up after this. Default 60,000. */
  timeoutMs?: number | undefined;
  /**
   * How often a request is tried again that found nobody, an overloaded service or a limit, after
   * half a second, one, two and so on, or as `retry-after` says. Default 5.
   */
  maxRetries?: number | undefined;
  /** What asks. Default: the platform's. */
  fetch?: typeof fetch | undefined;
  /** Stops finding the dimension. */
  signal?: AbortSignal | undefined;
}

const NAMES: OptionNames<RemoteEncoderOptions> = {
  url: true,
  style: true,
  model: true,
  apiKey: true,
  headers: true,
  dim: true,
  queryPrefix: true,
  documentPrefix: true,
  documentTokens: true,
  batchSize: true,
  concurrency: true,
  requestsPerMinute: true,
  timeoutMs: true,
  maxRetries: true,
  fetch: true,
  signal: true,
};

const STYLES: readonly RemoteStyle[] = ['jina', 'vllm', 'pylate', 'next-plaid'];

/** Those options, checked, with what is meant where nothing is said. */
export interface ResolvedRemoteOptions {
  readonly url: string;
  readonly style: RemoteStyle;
  readonly model: string;
  readonly apiKey: string | undefined;
  /** Those of every request, the key among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly dim: number | undefined;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  readonly documentTokens: number | undefined;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly requestsPerMinute: number;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly fetch: typeof fetch;
}

/** Raises 'invalid-argument'. */
export function resolveRemoteOptions(given: RemoteEncoderOptions): ResolvedRemoteOptions {
  checkOptions(given, NAMES, 'remoteEncoder');
  const { style, model, apiKey, headers = {}, queryPrefix = '', documentPrefix = '' } = given;
  if (!STYLES.includes(style))
    throw invalidArgument('style', `expected ${STYLES.join(', ')}, got ${showValue(style)}`);
  if (typeof model !== 'string' || model === '')
    throw invalidArgument('model', `expected the name of a model, got ${describeKind(model)}`);
  for (const [name, value] of Object.entries({ apiKey, queryPrefix, documentPrefix }))
    if (value !== undefined && typeof value !== 'string')
      throw invalidArgument(name, `expected a string, got ${describeKind(value)}`);
  if (given.fetch !== undefined && typeof given.fetch !== 'function')
    throw invalidArgument('fetch', `expected a function, got ${describeKind(given.fetch)}`);
  const { dim, documentTokens } = given;
  return {
    url: addressOf(given.url),
    style,
    model,
    apiKey,
    headers: headersOf(apiKey, headers),
    dim: dim === undefined ? undefined : whole(dim, 'dim', 1, 65_536),
    queryPrefix,
    documentPrefix,
    documentTokens:
      documentTokens === undefined
        ? undefined
        : whole(documentTokens, 'documentTokens', 1, 2 ** 31 - 1),
    batchSize: whole(given.batchSize ?? 8, 'batchSize', 1, 256),
    concurrency: whole(given.concurrency ?? 2, 'concurrency', 1, 64),
    requestsPerMinute: rate(given.requestsPerMinute),
    timeoutMs: whole(given.timeoutMs ?? 60_000, 'timeoutMs', 1, 2 ** 31 - 1),
    maxRetries: whole(given.maxRetries ?? 5, 'maxRetries', 0, 100),
    fetch: given.fetch ?? ((input, init) => fetch(input, init)),
  };
}

/**
 * What cannot be sent is refused here: where it is sent, it looks like nobody's answer, and the
 * error quotes it.
 */
function headersOf(
  apiKey: string | undefined,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers = new Headers({ 'content-type': 'application/json' });
  const all = [
    ...(apiKey === undefined ? [] : [['authorization', `Bearer ${apiKey}`, 'apiKey']]),
    ...Object.entries(more).map(([name, value]) => [name, value, `headers.${showValue(name)}`]),
  ];
  for (const [name, value, where] of all)
    try {
      headers.set(name, value);
    } catch {
      const expected = 'expected what an HTTP header may have: one line of Latin letters and marks';
      throw invalidArgument(where, expected);
    }
  return Object.fromEntries(headers);
}

/** Without the slash at its end. */
function addressOf(url: unknown): string {
  const text = String(url);
  let parsed: URL | undefined;
  try {
    parsed = new URL(text);
  } catch {
    // told below
  }
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw invalidArgument('url', `expected an address of http or https, got ${showValue(url)}`);
  if (parsed.username || parsed.password)
    throw invalidArgument('url', 'it has a user or a password: give apiKey or headers');
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`;
}

function whole(value: unknown, where: string, least: number, most: number): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  const expected = `expected an integer from ${least} to ${most}`;
  throw invalidArgument(where, `${expected}, got ${showValue(value)}`);
}

function rate(value: unknown): number {
  if (value === undefined) return Infinity;
  if (typeof value === 'number' && value > 0) return value;
  throw invalidArgument('requestsPerMinute', `expected a number above 0, got ${showValue(value)}`);
}
