import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { userCache } from '../../bytes/node-user-cache.js';

/** SHA-256 of files by their names. */
type Hashes = Readonly<Record<string, string>>;

/** Folders that models were loaded from in this process, by what is in them. */
const loaded = new Map<string, string>();

/** Notes where a model with these files is; no more than this process knows of it. */
export function noteModelFolder(files: Hashes, folder: string): void {
  loaded.set(keyOf(files), folder);
}

/** Keeps what was noted for other processes; a cache that cannot be written is no harm. */
export async function keepModelFolder(files: Hashes): Promise<void> {
  const folder = loaded.get(keyOf(files));
  if (folder === undefined) return;
  try {
    await mkdir(join(userCache(), 'folders'), { recursive: true });
    await writeFile(keptAt(files), `${JSON.stringify({ folder })}\n`);
  } catch {
    // the folder is named again then
  }
}

/** Where a model with these files was last on this machine; undefined: nobody knows. */
export async function modelFolder(files: Hashes): Promise<string | undefined> {
  const noted = loaded.get(keyOf(files));
  if (noted !== undefined) return noted;
  try {
    const { folder } = JSON.parse(await readFile(keptAt(files), 'utf8')) as { folder?: unknown };
    return typeof folder === 'string' ? folder : undefined;
  } catch {
    return undefined;
  }
}

function keptAt(files: Hashes): string {
  return join(userCache(), 'folders', `${keyOf(files)}.json`);
}

function keyOf(files: Hashes): string {
  const sorted = Object.keys(files)
    .sort()
    .map((name) => [name, files[name]]);
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 32);
}
