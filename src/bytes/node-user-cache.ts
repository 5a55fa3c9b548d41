import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder for what can be made again, of this user and of ours. */
export function userCache(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const base =
    XDG_CACHE_HOME || (process.platform === 'win32' && LOCALAPPDATA) || join(homedir(), '.cache');
  return join(base, 'lemur');
}
