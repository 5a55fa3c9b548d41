import { LemurError, notFound } from '../../errors.js';
import type { CheckpointFile, CheckpointFiles, OpenFile } from './checkpoint-files.js';
import type { HubOptions } from './hub-options.js';

export const openBlob: OpenFile = async ({ where, place }) => {
  const blob = place as Blob;
  return {
    name: where,
    size: blob.size,
    read: async (offset, length) =>
      new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
};

/**
 * The files below an address, each fetched when it is asked for first. Rejects with 'offline' where
 * nobody answers.
 */
export function addressFiles(
  address: string,
  { fetch: get = fetch, signal }: Pick<HubOptions, 'fetch' | 'signal'>,
): CheckpointFiles {
  const base = new URL(
    address.endsWith('/') ? address : `${address}/`,
    globalThis.document?.baseURI ?? globalThis.location?.href,
  );
  const found = new Map<string, Promise<CheckpointFile | undefined>>();
  return {
    name: base.href,
    open: openBlob,
    names: async () => [],
    find(name) {
      const file = found.get(name) ?? fetchFile(new URL(name, base).href);
      found.set(name, file);
      return file;
    },
  };

  async function fetchFile(url: string): Promise<CheckpointFile | undefined> {
    const failed = (cause: unknown): never => {
      signal?.throwIfAborted();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new LemurError(
        'offline',
        `${url}: it cannot be fetched: ${reason}`,
        { where: url },
        { cause },
      );
    };
    const response = await get(url, signal ? { signal } : {}).catch(failed);
    if (response.status === 404) return undefined;
    // servers of pages answer so for whatever they do not have
    if (response.headers.get('content-type')?.startsWith('text/html')) return undefined;
    if (!response.ok) throw notFound(url, `got status ${response.status}, expected 200`);
    return { where: url, place: await response.blob().catch(failed) };
  }
}
