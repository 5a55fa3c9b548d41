import { afterAll } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
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
export async function smallServer(options: HandlerOptions = {}): Promise<SmallServer> {
  const index = await Index.create(memoryStorage(), { encoder: wordEncoder(), threads: 1 });
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
