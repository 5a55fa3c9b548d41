import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export const DIM = 4;

export interface Asked {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

export interface TokenService {
  url: string;
  /** All that it was asked for. */
  asked: Asked[];
  /** Answers the next request in place of the form; the ones after it again by the form. */
  next: ((response: ServerResponse) => void)[];
}

/** A vector a word, which has the word's length in it and whether it was asked as a query. */
export function vectorsOf(text: string, isQuery: boolean): number[][] {
  return text.split(' ').map((word) => [word.length, Number(isQuery), 0.5, -0.25]);
}

/** As the documentation of each service has its requests and answers. */
const FORMS: Record<string, (body: Record<string, unknown>) => object> = {
  // https://api.jina.ai: an item a text, in any order by `index`
  '/v1/multi-vector': ({ input, input_type: type }) => ({
    object: 'list',
    data: (input as string[])
      .map((text, index) => ({
        object: 'embeddings',
        index,
        embeddings: vectorsOf(text, type === 'query'),
      }))
      .reverse(),
    usage: { total_tokens: 1 },
  }),
  '/pooling': ({ input }) => ({
    object: 'list',
    data: (input as string[]).map((text, index) => ({
      index,
      object: 'pooling',
      data: vectorsOf(text, text.startsWith('[Q]')),
    })),
  }),
  '/v1/embeddings': ({ input, is_query: isQuery }) => ({
    data: (input as string[]).map((text, index) => ({
      index,
      embedding: vectorsOf(text, isQuery === true),
    })),
  }),
  '/encode': ({ texts, input_type: type }) => ({
    embeddings: (texts as string[]).map((text) => vectorsOf(text, type === 'query')),
    num_texts: (texts as string[]).length,
  }),
};

/** A service on the loopback that speaks all forms. */
export async function tokenService(): Promise<TokenService> {
  const service: TokenService = { url: '', asked: [], next: [] };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const path = request.url ?? '';
    const body = JSON.parse(text) as Record<string, unknown>;
    service.asked.push({ path, headers: request.headers, body });
    const instead = service.next.shift();
    if (instead) instead(response);
    else if (FORMS[path]) response.end(JSON.stringify(FORMS[path](body)));
    else response.writeHead(404).end('{"error":"no such path"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  service.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return service;
}

/** Answers with a status. */
export function status(
  code: number,
  headers: Record<string, string> = {},
  body = '',
): (response: ServerResponse) => void {
  return (response) => response.writeHead(code, headers).end(body);
}
