import { openBlob } from './browser-files.js';
import type { CheckpointFile } from './checkpoint-files.js';
import type { HubCache } from './hub-cache.js';
import { type HubOptions, hubUrl } from './hub-options.js';

/** The one of the page's caches that models are in. */
const NAME = 'lemur-models';

/** Says when the hub was asked for a file that it does not have, in milliseconds of the clock. */
const ASKED = 'x-lemur-asked';

/**
 * Files kept in Cache Storage, each by its address; that there is none is kept as an answer 404.
 * Where a page has no such storage nothing is kept.
 */
export function hubCacheStorage(id: string, options: HubOptions): HubCache {
  const urlOf = (name: string): string => hubUrl(id, name, options);
  // some pages may not have it although it is there
  const opened = globalThis.caches?.open(NAME).catch(() => undefined);
  /** What does not fit into the page's storage is fetched again the next time. */
  const put = async (url: string, response: Response): Promise<void> => {
    await (await opened)?.put(url, response).catch(() => {});
  };
  return {
    where: `the page's cache ${NAME}`,
    // pages follow them unseen
    seesRedirects: false,
    open: openBlob,
    names: async () => [],
    async find(name) {
      const url = urlOf(name);
      const response = await (await opened)?.match(url);
      if (!response) return undefined;
      if (response.ok) return { where: url, place: await response.blob() };
      return { age: Math.abs(Date.now() - Number(response.headers.get(ASKED) ?? 0)) };
    },
    async keep(name, chunks, check): Promise<CheckpointFile> {
      const url = urlOf(name);
      const parts: BlobPart[] = [];
      for await (const chunk of chunks) parts.push(chunk as BlobPart);
      const file = { where: url, place: new Blob(parts) };
      await check(file);
      await put(url, new Response(file.place));
      return file;
    },
    async keepAbsent(name) {
      await put(
        urlOf(name),
        new Response(null, { status: 404, headers: { [ASKED]: String(Date.now()) } }),
      );
    },
    async forget(name) {
      await (await opened)?.delete(urlOf(name)).catch(() => {});
    },
    async hash(kind, before, { place }) {
      const bytes = await new Blob([before as BlobPart, place as Blob]).arrayBuffer();
      const digest = await globalThis.crypto?.subtle?.digest(
        kind === 'sha1' ? 'SHA-1' : 'SHA-256',
        bytes,
      );
      return (
        digest &&
        Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
      );
    },
  };
}
