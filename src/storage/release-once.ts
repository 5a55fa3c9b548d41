import type { StorageLock } from './storage.js';

/**
 * A lock that is released once, whatever it is asked: by the second time it may be another's. A
 * release that failed may be tried again.
 */
export function releaseOnce(
  release: () => Promise<void>,
  confirm: () => Promise<void>,
): StorageLock {
  let released: Promise<void> | undefined;
  return {
    confirm,
    release() {
      released ??= release().catch((error: unknown) => {
        released = undefined;
        throw error;
      });
      return released;
    },
  };
}
