import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, open, rm } from 'node:fs/promises';
import { isAbsent } from './node-file-error.js';
import { CREATE } from './node-regular-file.js';

/** A new file beside the one that it will replace. */
export interface Replacement {
  readonly file: FileHandle;
  /**
   * Its name until then, which nobody can foresee: that of the other, 16 hexadecimal digits, `tmp`.
   */
  readonly temporary: string;
  /** Closes and deletes it. */
  discard(): Promise<void>;
}

/**
 * Makes an empty file in the folder of `path`, with the mode of what is there and, where that is
 * allowed, its owner. No link is followed.
 */
export async function createReplacement(path: string): Promise<Replacement> {
  const old = await lstat(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  const mode = old?.isFile() ? old.mode & 0o777 : undefined;
  const file = await open(temporary, CREATE, mode ?? 0o666);
  const discard = async (): Promise<void> => {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
  };
  try {
    if (old && mode !== undefined && process.platform !== 'win32') {
      const made = await file.stat();
      // only root may give files away
      if (made.uid !== old.uid || made.gid !== old.gid)
        await file.chown(old.uid, old.gid).catch(() => {});
      // after the change of owner, and whatever the umask
      if ((made.mode & 0o777) !== mode) await file.chmod(mode).catch(() => {});
    }
  } catch (error) {
    await discard();
    throw error;
  }
  return { file, temporary, discard };
}
