import { type BodyLimits, readObject } from './body.js';
import { Problem } from './problem.js';
import { collectionNamed, type Served, type ServedCollection } from './served.js';

/** A request on its way, with what its answer needs. */
export interface Exchange {
  readonly served: Served;
  readonly request: Request;
  readonly url: URL;
  /** As the answer has it in `x-request-id`. */
  readonly id: string;
  /** What the route's template names. */
  readonly params: Readonly<Record<string, string>>;
  /** Aborts when the client leaves, and when the server stops waiting. */
  readonly signal: AbortSignal;
  /** Work that goes on after the answer has begun; the server waits for it. */
  readonly goOn: (work: Promise<unknown>) => void;
}

/** Answers requests to one route. */
export type Answer = (exchange: Exchange) => Promise<Response>;

/** Raises a problem as `readObject` does. */
export function bodyOf(exchange: Exchange): Promise<Record<string, unknown>> {
  return readObject(exchange.request, limitsOf(exchange), exchange.signal);
}

export function limitsOf({ served }: Exchange): BodyLimits {
  return served.options;
}

/** The collection that the address names. Raises a problem (404). */
export function collectionIn({ served, params }: Exchange): ServedCollection {
  return collectionNamed(served, params.name);
}

/** The same, to change it. Raises a problem (404, 403). */
export function writableIn(exchange: Exchange): ServedCollection {
  const collection = collectionIn(exchange);
  if (exchange.served.options.readOnly)
    throw new Problem(403, 'read-only', 'this server only reads');
  return collection;
}

export function json(
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { ...headers, 'content-type': 'application/json' },
  });
}

/**
 * An answer that is written piece by piece. `write` does what it does while the client reads; what
 * it throws ends the answer. The signal of the exchange aborts when the client stops reading.
 */
export function streamed(
  { goOn }: Exchange,
  type: string,
  write: (send: (text: string) => Promise<void>, left: AbortSignal) => Promise<void>,
): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const left = new AbortController();
  writer.closed.catch(() => left.abort());
  let sent = Promise.resolve();
  const sendOne = async (text: string): Promise<void> => {
    // what was not read when the client left is nobody's loss
    await writer.ready.catch(() => undefined);
    if (!left.signal.aborted) writer.write(encoder.encode(text)).catch(() => undefined);
  };
  const send = (text: string): Promise<void> => {
    sent = sent.then(() => sendOne(text));
    return sent;
  };
  const work = write(send, left.signal).then(
    async () => {
      await sent;
      await writer.close();
    },
    (error) => writer.abort(error),
  );
  goOn(work.catch(() => undefined));
  return new Response(readable, { headers: { 'content-type': type } });
}
