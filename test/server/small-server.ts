import { afterAll } from 'vitest';
import { type CreateOptions, Index, memoryStorage } from '../../dist/entry/node.js';
import type { EncodedTexts, EncodeOptions, Encoder } from '../../dist/entry/node-encoder.js';
import {
  createHandler,
  type Handler,
  type HandlerOptions,
  type ListeningServer,
  serve,
} from '../../dist/entry/node-server.js';
import { wordEncoder } from '../collection/passage-encoder.js';

export const DOCUMENTS = [
  { id: 'statins', text: 'Cholesterol is lowered by statins.', metadata: { year: 2011 } },
  { id: 'bees', text: 'Bees dance to tell where flowers are.', metadata: { year: 1967 } },
  { id: 'a/b c', text: 'Snow is white.' },
];

export interface SmallServer extends ListeningServer {
  readonly handler: Handler;
  readonly index: Index;
  /** Sends JSON where there is a body. */
  ask(path: string, init?: RequestInit & { json?: unknown }): Promise<Response>;
}

/** An index of three documents whose words are its tokens, listening on the loopback. */
export async function smallServer(
  options: HandlerOptions = {},
  made: CreateOptions = {},
): Promise<SmallServer> {
  const encoder = wordEncoder();
  const index = await Index.create(memoryStorage(), { encoder, threads: 1, ...made });
  await index.add(DOCUMENTS);
  const handler = createHandler({ papers: index }, options);
  const server = await serve(handler, { port: 0 });
  afterAll(async () => {
    await server.close();
    await index.close();
  });
  return { ...server, handler, index, ask: (path, init) => ask(`${server.url}${path}`, init) };
}

export function ask(
  url: string,
  { json, ...init }: RequestInit & { json?: unknown } = {},
): Promise<Response> {
  if (json === undefined) return fetch(url, init);
  const headers = { 'content-type': 'application/json', ...(init.headers as object) };
  return fetch(url, { method: 'POST', body: JSON.stringify(json), ...init, headers });
}

/** Resolves when so many requests wait for their turn. */
export async function untilWaiting(ask: SmallServer['ask'], requests: number): Promise<void> {
  const line = `lemur_requests_waiting ${requests}\n`;
  while (!(await (await ask('/metrics')).text()).includes(line));
}

/** An encoder of words whose questions wait until they are let go, or stopped. */
export interface WaitingEncoder extends Encoder {
  /** Resolves when a question has come. */
  readonly asked: Promise<void>;
  /** Resolves when one has been stopped. */
  readonly stopped: Promise<void>;
  /** Answers all that wait, and later ones at once. */
  letGo(): void;
}

export function waitingEncoder(): WaitingEncoder {
  const words = wordEncoder();
  let [come, stop, letGo] = [() => {}, () => {}, () => {}];
  const asked = new Promise<void>((resolve) => {
    come = resolve;
  });
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const encodeQuery = async (
    texts: readonly string[],
    options: EncodeOptions = {},
  ): Promise<EncodedTexts> => {
    options.signal?.addEventListener('abort', stop);
    come();
    await gone;
    return words.encodeQuery(texts);
  };
  return { ...words, encodeQuery, asked, stopped, letGo: () => letGo() };
}
