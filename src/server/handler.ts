import { anyAbort, settlesWithin } from '../abortable.js';
import type { Index } from '../collection/index.js';
import { Access } from './access.js';
import type { Exchange } from './exchange.js';
import { Gate } from './gate.js';
import { type HandlerOptions, resolveHandlerOptions } from './handler-options.js';
import { Jobs } from './jobs.js';
import { mcpRoute } from './mcp/mcp-route.js';
import { McpServer } from './mcp/mcp-server.js';
import { type Gauge, Metrics } from './metrics.js';
import { Problem, problemDetails, problemOf, problemResponse } from './problem.js';
import { allowedMethods, findRoute, match, type Route } from './router.js';
import { PAGE_ROUTES } from './routes/page.js';
import { ROUTES } from './routes.js';
import { type Served, servedCollections, storageNames } from './served.js';

/** Answers requests, wherever `fetch`, `Request` and `Response` are. */
export interface Handler {
  /** Answers a request; it does not reject. What went wrong is told as RFC 9457 has it. */
  fetch(request: Request): Promise<Response>;
  /**
   * Refuses what comes from now on, stops jobs, and waits for what is under way, `closeTimeoutMs`
   * at most; what is left is stopped. The indexes stay open: they are the caller's.
   */
  close(): Promise<void>;
}

/** An id that a proxy gave a request. */
const GIVEN_ID = /^[\w.-]{1,128}$/;
/** What calls that were stopped take to notice. */
const STOP_MS = 1000;

/**
 * Serves collections over HTTP: searches, documents, jobs, reranking, encoding, MCP.
 * `docs/server.md` has the routes, `/openapi.json` their forms. Raises 'invalid-argument'.
 *
 * @example
 * const papers = await Index.open('papers.lemur', { write: true });
 * const handler = createHandler({ papers }, { apiKey: process.env.LEMUR_API_KEY });
 * Bun.serve({ fetch: handler.fetch });
 */
export function createHandler(
  indexes: Readonly<Record<string, Index>>,
  options: HandlerOptions = {},
): Handler {
  const server = new Server(indexes, options);
  return { fetch: (request) => server.fetch(request), close: () => server.close() };
}

class Server {
  readonly #served: Served;
  readonly #access: Access;
  readonly #routes: readonly Route[];
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(indexes: Readonly<Record<string, Index>>, given: HandlerOptions) {
    const options = resolveHandlerOptions(given);
    const work = new Gate(options.maxRunning, options.maxWaiting);
    const collections = servedCollections(indexes, work);
    const storages = storageNames(collections);
    const jobs = new Jobs((error, id) => problemDetails(problemOf(error, storages), id));
    const metrics = new Metrics(this.#gauges());
    const isClosing = (): boolean => this.#closing !== undefined;
    this.#served = { options, collections, work, jobs, metrics, storages, isClosing };
    this.#access = new Access(options);
    const { mcp, page, readOnly } = options;
    this.#routes = [
      ...ROUTES,
      ...(page ? PAGE_ROUTES : []),
      ...(mcp ? [mcpRoute(new McpServer(this.#served, mcp === 'write' && !readOnly))] : []),
    ];
  }

  async fetch(request: Request): Promise<Response> {
    const began = performance.now();
    const asked = request.headers.get('x-request-id') ?? '';
    const id = GIVEN_ID.test(asked) ? asked : crypto.randomUUID();
    const { signal, end } = anyAbort([request.signal, this.#stop.signal]);
    const later: Promise<unknown>[] = [];
    let route = '';
    let error: unknown;
    const answer = async (): Promise<Response> => {
      const url = new URL(request.url);
      this.#access.checkOrigin(request, url);
      if (request.method === 'OPTIONS') return this.#allow(url);
      const found = findRoute(this.#routes, request.method, url.pathname);
      route = found.route.path;
      if (!found.route.open) await this.#access.checkKey(request);
      if (this.#closing && !found.route.late) throw closing();
      const goOn = (work: Promise<unknown>): void => void later.push(work);
      const { params } = found;
      const exchange: Exchange = { served: this.#served, request, url, id, params, signal, goOn };
      return found.route.answer(exchange);
    };
    const answered = answer().catch((reason: unknown) => {
      error = reason;
      // nobody is there to be told
      if (request.signal.aborted) return new Response(null, { status: 499 });
      return problemResponse(problemOf(reason, this.#served.storages), id);
    });
    const ended = answered.then(async ({ status }) => {
      await Promise.allSettled(later);
      end();
      const milliseconds = performance.now() - began;
      this.#served.metrics.count(request.method, route, status, milliseconds / 1000);
      const failure = status >= 500 ? { error } : {};
      const { method } = request;
      this.#served.options.onRequest?.({ id, method, route, status, milliseconds, ...failure });
    });
    this.#running.add(ended);
    // what a listener throws is its own affair, and no reason to lose count
    ended.catch(() => undefined).finally(() => this.#running.delete(ended));
    return this.#finished(request, await answered, id);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const { jobs, options } = this.#served;
    const all = Promise.allSettled([jobs.close(), ...this.#running]);
    if (await settlesWithin(all, options.closeTimeoutMs)) return;
    this.#stop.abort(closing());
    await settlesWithin(all, STOP_MS);
  }

  /** What browsers ask before a page of another origin may send something. */
  #allow({ pathname }: URL): Response {
    const here = this.#routes.filter(({ path }) => match(path, pathname));
    const allow = allowedMethods(here);
    return new Response(null, {
      status: 204,
      headers: {
        allow,
        'access-control-allow-methods': allow,
        'access-control-allow-headers':
          'authorization, content-type, x-api-key, x-request-id, mcp-protocol-version',
        'access-control-max-age': '600',
      },
    });
  }

  #finished(request: Request, response: Response, id: string): Response {
    const { headers } = response;
    headers.set('x-request-id', id);
    headers.set('x-content-type-options', 'nosniff');
    // but for what says otherwise: the page
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
    const origin = this.#access.allowedOrigin(request);
    if (origin !== undefined) {
      headers.set('access-control-allow-origin', origin);
      headers.set('access-control-expose-headers', 'x-request-id, retry-after, location');
    }
    if (this.#served.options.cors.length > 0) headers.append('vary', 'origin');
    if (request.method !== 'HEAD') return response;
    response.body?.cancel().catch(() => undefined);
    return new Response(null, { status: response.status, headers });
  }

  #gauges(): Gauge[] {
    const all = (): Served => this.#served;
    const one = (value: number) => [[{}, value] as const];
    return [
      {
        name: 'lemur_requests_running',
        help: 'Requests that compute.',
        type: 'gauge',
        values: () => one(all().work.running),
      },
      {
        name: 'lemur_requests_waiting',
        help: 'Requests that wait for these.',
        type: 'gauge',
        values: () => one(all().work.waiting),
      },
      {
        name: 'lemur_requests_refused_total',
        help: 'Requests that found no place to wait.',
        type: 'counter',
        values: () => one(all().work.refused),
      },
      {
        name: 'lemur_jobs_running',
        help: 'Jobs that have not ended.',
        type: 'gauge',
        values: () => one(all().jobs.running),
      },
      {
        name: 'lemur_documents',
        help: 'Documents of a collection.',
        type: 'gauge',
        values: () =>
          [...all().collections].map(([name, { index }]) => [{ collection: name }, index.size]),
      },
    ];
  }
}

function closing(): Problem {
  return new Problem(503, 'closing', 'the server is closing', { 'retry-after': '5' });
}
