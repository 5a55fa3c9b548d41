import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { LemurError, type ReadableStorage } from '../../dist/entry/node.js';

/** A server on the loopback that gives the files of a folder, whole or a range of them. */
export interface FileServer {
  readonly address: string;
  /** Bytes that it has sent. */
  readonly sent: number;
  close(): Promise<void>;
}

export async function serveFolder(folder: string): Promise<FileServer> {
  let sent = 0;
  const server: Server = createServer(async ({ url = '/', headers, method }, response) => {
    const file = await open(join(folder, decodeURIComponent(url.slice(1)))).catch(() => null);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    try {
      const { size } = await file.stat();
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
      const from = Number(first ?? 0);
      const to = Math.min(Number(last ?? size - 1), size - 1) + 1;
      const bytes = Buffer.alloc(method === 'HEAD' ? 0 : to - from);
      await file.read(bytes, 0, bytes.length, from);
      const length = method === 'HEAD' ? size : bytes.length;
      response.writeHead(first === undefined ? 200 : 206, { 'content-length': length });
      response.end(bytes);
      sent += bytes.length;
    } finally {
      await file.close();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get sent() {
      return sent;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The files below an address, read by range requests. */
export function httpStorage(address: string): ReadableStorage {
  const get = async (file: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(new URL(file, address), init);
    if (response.ok) return response;
    await response.body?.cancel();
    const where = `${address}${file}`;
    const code = response.status === 404 ? 'not-found' : 'storage-failed';
    throw new LemurError(code, `${where}: status ${response.status}`, { where });
  };
  const bytesOf = async (response: Response): Promise<Uint8Array> =>
    new Uint8Array(await response.arrayBuffer());
  return {
    name: address,
    read: async (file) => bytesOf(await get(file, {})),
    async open(file) {
      const { headers } = await get(file, { method: 'HEAD' });
      return {
        name: `${address}${file}`,
        size: Number(headers.get('content-length')),
        read: async (offset, length) =>
          length === 0
            ? new Uint8Array(0)
            : bytesOf(
                await get(file, { headers: { range: `bytes=${offset}-${offset + length - 1}` } }),
              ),
        close: async () => {},
      };
    },
  };
}
