import { resolve } from 'node:path';
import { watch } from './vendor.js';

/** A change waits so long for others, in milliseconds, and no longer than that in all. */
const QUIET_MS = 500;
const LONGEST_MS = 5000;
/** Within a folder: what is hidden, and packages. */
const UNSEEN = /[\\/](?:node_modules|\.[^\\/.][^\\/]*)(?:[\\/]|$)/;

/**
 * Follows a folder until the signal aborts: calls `bringInStep` once it is watched, and after
 * changes, one call at a time. `except` is a folder whose changes do not count. Rejects with what
 * that, or watching, rejects with.
 */
export async function watchFolder(
  folder: string,
  except: string,
  signal: AbortSignal,
  bringInStep: () => Promise<void>,
): Promise<void> {
  const [root, own] = [resolve(folder), resolve(except)];
  const watcher = watch(root, {
    ignoreInitial: true,
    ignored: (path) => path === own || UNSEEN.test(path.slice(root.length)),
  });
  /** When the first and the last change came that nothing was done about; 0: none did. */
  let [first, last] = [0, 0];
  let wake = (): void => {};
  const changed = (): void => {
    last = Date.now();
    first ||= last;
    wake();
  };
  const failed = new Promise<never>((_, reject) => watcher.on('error', reject));
  failed.catch(() => {});
  const stop = (): void => wake();
  signal.addEventListener('abort', stop);
  watcher.on('all', changed).on('ready', changed);
  try {
    while (!signal.aborted) {
      const wait = first ? Math.min(last + QUIET_MS, first + LONGEST_MS) - Date.now() : Infinity;
      if (wait > 0) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
          if (wait < Infinity) timer = setTimeout(resolve, wait);
        });
        await Promise.race([woken, failed]).finally(() => clearTimeout(timer));
        continue;
      }
      first = 0;
      await bringInStep();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await watcher.close();
  }
}
