import { execFileSync } from 'node:child_process';
import { afterAll } from 'vitest';

/**
 * Mounts a file system of `size` (as `mount` takes it) on an empty folder until the tests of the
 * file have ended. False where it cannot be mounted: it takes Linux, and root.
 */
export function mountSmallDisk(folder: string, size: string): boolean {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return false;
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${size}`];
    execFileSync('mount', [...options, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return false;
  }
  afterAll(() => execFileSync('umount', ['-l', folder]));
  return true;
}
