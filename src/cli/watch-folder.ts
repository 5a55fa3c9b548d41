import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { watch } from './vendor.js';

/** A change waits so long for others, in milliseconds, and no longer than that in all. */
const QUIET_MS = 500;
const LONGEST_MS = 5000;
/** After so long it is looked for again where it is gone. */
const LOOK_MS = 1000;
/** Within a folder: what is hidden, and packages. */
const UNSEEN = /[\\/](?:node_modules|\.[^\\/.][^\\/]*)(?:[\\/]|$)/;

/**
 * Follows a folder until the signal aborts: calls `bringInStep` once it is watched, and after
 * changes, one call at a time, also where the folder went away and came back. `except` is a folder
 * whose changes do not count. Rejects with what that, or watching, rejects with.
 */
export async function watchFolder(
  folder: string,
  except: string,
  signal: AbortSignal,
  bringInStep: () => Promise<void>,
): Promise<void> {
  const [root, own] = [resolve(folder), resolve(except)];
  /** When the first and the last change came that nothing was done about; 0: none did. */
  let [first, last] = [0, 0];
  let wake = (): void => {};
  const changed = (): void => {
    last = Date.now();
    first ||= last;
    wake();
  };
  let fail = (_: unknown): void => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const begin = (): Watched => begun(root, own, changed, fail);
  let watched = begin();
  const stop = (): void => wake();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      const longest = (await watched.isLost()) ? LOOK_MS : Infinity;
      const due = first ? Math.min(last + QUIET_MS, first + LONGEST_MS) - Date.now() : Infinity;
      const wait = Math.min(due, longest);
      if (wait > 0) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
          if (wait < Infinity) timer = setTimeout(resolve, wait);
        });
        await Promise.race([woken, failed]).finally(() => clearTimeout(timer));
        if (!(await watched.isBack())) continue;
        // what watched the folder that was there sees nothing of this one
        await watched.close();
        watched = begin();
        continue;
      }
      first = 0;
      await bringInStep();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await watched.close();
  }
}

/** A folder that is watched. */
interface Watched {
  /** Whether it went away, or another one came, since. */
  isLost(): Promise<boolean>;
  /** Whether there is a folder again after that. */
  isBack(): Promise<boolean>;
  close(): Promise<void>;
}

function begun(
  root: string,
  except: string,
  changed: () => void,
  fail: (error: unknown) => void,
): Watched {
  const watcher = watch(root, {
    ignoreInitial: true,
    ignored: (path) => path === except || UNSEEN.test(path.slice(root.length)),
  });
  const identity = identityOf(root);
  let isLost = false;
  watcher.on('error', fail);
  watcher.on('all', changed).on('ready', changed);
  watcher.on('unlinkDir', (path) => {
    isLost ||= path === root;
  });
  return {
    async isLost() {
      isLost ||= (await identityOf(root)) !== (await identity);
      return isLost;
    },
    isBack: async () => isLost && (await identityOf(root)) !== undefined,
    close: () => watcher.close(),
  };
}

/** What tells a folder from another one in its place; undefined: there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? `${found.dev} ${found.ino}` : undefined;
}
