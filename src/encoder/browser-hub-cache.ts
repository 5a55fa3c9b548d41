import { openBlob } from './browser-files.js';
import type { CheckpointFile } from './checkpoint-files.js';
import { type HubCache, type HubOptions, hubUrl } from './hub.js';

/** The one of the page's caches that models are in. */
const NAME = 'lemur-models';

/** Files kept in Cache Storage, each by its address; that there is none is kept as an answer 404. Where a page has no such storage nothing is kept. */
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
    open: openBlob,
    names: async () => [],
    async find(name) {
      const url = urlOf(name);
      const response = await (await opened)?.match(url);
      if (!response) return undefined;
      return response.ok ? { where: url, place: await response.blob() } : null;
    },
    async keep(name, chunks): Promise<CheckpointFile> {
      const url = urlOf(name);
      const parts: BlobPart[] = [];
      for await (const chunk of chunks) parts.push(chunk as BlobPart);
      const place = new Blob(parts);
      await put(url, new Response(place));
      return { where: url, place };
    },
    async keepAbsent(name) {
      await put(urlOf(name), new Response(null, { status: 404 }));
    },
  };
}
