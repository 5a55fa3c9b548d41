import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, isAbsent } from './node-file-error.js';

/**
 * Paths of the files in a folder and below, relative, with `/`, a folder at a time, in an order
 * that no locale changes. What begins with a dot is left out, and node_modules. Links to files
 * count, links to folders are not followed. With `tolerant`, folders below that may not be read are
 * left out too.
 */
export async function* walkFiles(
  folder: string,
  { tolerant = false }: { tolerant?: boolean } = {},
): AsyncGenerator<string, void, undefined> {
  const waiting = [''];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(
      (error: unknown) => {
        if (below !== '' && (tolerant || isAbsent(error))) return [];
        throw fileError(join(folder, below), error, 'folder');
      },
    );
    const folders: string[] = [];
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = below + entry.name;
      if (entry.isDirectory()) folders.push(`${path}/`);
      else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(join(folder, path)))))
        yield path;
    }
    waiting.push(...folders.reverse());
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false; // a link to nothing, or to itself
  }
}
