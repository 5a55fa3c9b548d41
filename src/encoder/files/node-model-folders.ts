import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
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

/**
 * Keeps what was noted for other processes, beside the folders that were kept before: copies of a
 * model may come and go. A cache that cannot be written is no harm.
 */
export async function keepModelFolder(files: Hashes): Promise<void> {
  const folder = loaded.get(keyOf(files));
  if (folder === undefined || (await keptFolders(files)).includes(folder)) return;
  try {
    await mkdir(join(userCache(), 'folders'), { recursive: true });
    await appendFile(keptAt(files), `${JSON.stringify({ folder })}\n`);
  } catch {
    // the folder is named again then
  }
}

/**
 * Where a model with these files is on this machine: the latest folder that is still there, or else
 * the latest. undefined: nobody knows.
 */
export async function modelFolder(files: Hashes): Promise<string | undefined> {
  const noted = loaded.get(keyOf(files));
  if (noted !== undefined) return noted;
  const kept = await keptFolders(files);
  return kept.find((folder) => existsSync(folder)) ?? kept[0];
}

/** Those that were kept, the latest first. */
async function keptFolders(files: Hashes): Promise<string[]> {
  const text = await readFile(keptAt(files), 'utf8').catch(() => '');
  return text.split('\n').reverse().flatMap(folderOf);
}

function folderOf(line: string): string[] {
  try {
    const { folder } = JSON.parse(line) as { folder?: unknown };
    return typeof folder === 'string' ? [folder] : [];
  } catch {
    return [];
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
