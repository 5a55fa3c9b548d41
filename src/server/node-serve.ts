import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onAbort, settlesWithin } from '../abortable.js';
import { invalidArgument } from '../errors.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { describeKind } from '../value-kind.js';
import type { Handler } from './handler.js';

/** Where a handler listens. */
export interface ServeOptions {
  /** Default 8080; 0: one that is free. */
  port?: number | undefined;
  /** An address of this machine. Default `127.0.0.1`: nobody else can ask. */
  host?: string | undefined;
}

const NAMES: OptionNames<ServeOptions> = { port: true, host: true };

/** A handler that listens. */
export interface ListeningServer {
  /** Of the root, as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more requests, closes the handler, and ends what is still open. */
  close(): Promise<void>;
}

/** What a `Host` header may have: no path, no user. */
const HOST = /^[\w.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:.]+\](:\d{1,5})?$/;
/** Request lines and headers must come within this. */
const HEADERS_MS = 20_000;
/** Until connections that have ended their answers are cut. */
const CUT_MS = 500;
/** A client that takes nothing of its answer for this, or up to twice as long, is cut off. */
const STALLED_MS = 20_000;
/** What still comes of a body that has been answered is read for so long. */
const REST_MS = 5000;

/**
 * Serves a handler by `node:http`. Rejects with the system's error where the port is taken or not
 * allowed, and with 'invalid-argument'.
 *
 * @example
 * const server = await serve(createHandler({ papers }), { port: 8080 });
 * console.log(server.url);
 */
export async function serve(
  handler: Handler,
  options: ServeOptions = {},
): Promise<ListeningServer> {
  checkOptions(options, NAMES, 'serve');
  if (typeof handler?.fetch !== 'function')
    throw invalidArgument(
      'handler',
      `expected what createHandler makes, got ${describeKind(handler)}`,
    );
  const { port = 8080, host = '127.0.0.1' } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw invalidArgument('port', `expected an integer from 0 to 65535, got ${port}`);
  // bodies have times of their own
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: 0 });
  const clients = new Clients();
  server.on('request', (request, response) => {
    const left = clients.leaving(request.socket, response);
    void respond(handler, request, response, left);
  });
  server.listen(port, host);
  await once(server, 'listening');
  const { address, port: bound, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  return { url, close: () => closeServer(server, handler) };
}

async function closeServer(server: Server, handler: Handler): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  await handler.close();
  server.closeIdleConnections();
  if (!(await settlesWithin(closed, CUT_MS))) server.closeAllConnections();
  await closed;
}

async function respond(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  // a client that is gone is told of by 'close'
  outgoing.on('error', () => {});
  const request = requestOf(incoming, left);
  if (!request) {
    outgoing.writeHead(400, { connection: 'close' }).end();
    return;
  }
  const response = await handler.fetch(request);
  if (left.aborted) {
    await response.body?.cancel().catch(() => undefined);
    return;
  }
  // what is left of the body is not read any more
  if (!incoming.complete && !response.headers.get('content-type')?.includes('ndjson'))
    outgoing.setHeader('connection', 'close');
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (!response.body) {
    outgoing.end();
    return;
  }
  await pipe(response.body, outgoing, left);
  if (!incoming.complete && !left.aborted) cutLater(incoming);
}

/** Writes as fast as the client reads. */
async function pipe(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  const reader = body.getReader();
  const forget = onAbort(left, () => void reader.cancel().catch(() => undefined));
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || left.aborted) break;
      if (outgoing.write(value)) continue;
      // node:http cuts the connection when nothing at all is taken: what is slow goes on
      outgoing.setTimeout(STALLED_MS);
      await once(outgoing, 'drain', { signal: left });
      outgoing.setTimeout(0);
    }
    outgoing.setTimeout(STALLED_MS);
    // before node:http has its own time for the next request
    outgoing.prependOnceListener('finish', () => void outgoing.setTimeout(0));
    outgoing.end();
  } catch {
    outgoing.destroy();
  } finally {
    forget();
  }
}

/** So that nobody holds a connection by a body that has no end. */
function cutLater(incoming: IncomingMessage): void {
  setTimeout(() => incoming.complete || incoming.socket.destroy(), REST_MS).unref();
}

/** Who waits for an answer, by connection: several requests may have come on one. */
class Clients {
  readonly #waiting = new WeakMap<Socket, Set<AbortController>>();

  /**
   * Aborts when the client of a request leaves. A response whose turn has not come on its
   * connection is not told of that.
   */
  leaving(socket: Socket, response: ServerResponse): AbortSignal {
    const left = new AbortController();
    let all = this.#waiting.get(socket);
    if (!all) {
      const waiting = new Set<AbortController>();
      socket.once('close', () => {
        for (const one of waiting) one.abort();
      });
      this.#waiting.set(socket, waiting);
      all = waiting;
    }
    all.add(left);
    response.once('close', () => {
      all.delete(left);
      left.abort();
    });
    return left.signal;
  }
}

/** undefined: its line or its host cannot be an address. */
function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = 'GET', url = '/' } = incoming;
  const { host: hosts = [] } = incoming.headersDistinct;
  const [host = ''] = hosts;
  // of two hosts a proxy may have looked at the other one
  if (hosts.length > 1 || !HOST.test(host) || !url.startsWith('/')) return undefined;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? bodyOf(incoming) : undefined;
  try {
    return new Request(`http://${host}${url}`, {
      method,
      headers: headersOf(incoming),
      signal,
      ...(body && { body, duplex: 'half' }),
    } as RequestInit);
  } catch {
    return undefined;
  }
}

/** As fast as it is read. A body that is not wanted any more goes nowhere, and its answer out. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => void incoming.resume(),
    },
    { highWaterMark: 0 },
  );
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct))
    for (const value of values) headers.append(name, value);
  return headers;
}
