import { connect } from 'node:net';

/** Sends parts of a request as they are, waiting before each; what comes back until it ends. */
export async function rawRequest(
  url: string,
  parts: readonly string[],
  { waitMs = 0, leave = false }: { waitMs?: number; leave?: boolean } = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  const ended = new Promise<string>((resolve) => {
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', () => {});
  });
  for (const part of parts) {
    if (socket.destroyed) break;
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  if (leave) socket.destroy();
  return ended;
}

/** The head of a request with JSON to a path. */
export function head(path: string, more = ''): string {
  const lines = [`POST ${path} HTTP/1.1`, 'host: localhost', 'content-type: application/json'];
  return `${lines.join('\r\n')}\r\n${more}\r\n`;
}
