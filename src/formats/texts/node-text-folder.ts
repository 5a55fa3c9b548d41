import { basename, join } from 'node:path';
import { readWhole } from '../../bytes/node-file.js';
import { walkFiles } from '../../bytes/node-walk.js';
import { badFile } from '../../errors.js';
import type { BeirDocument } from './beir.js';

/** Bytes of one text. */
const MOST_OF_TEXT = 2 ** 28;
const TEXT = /\.(txt|md)$/i;

/**
 * Paths of the `*.txt` and `*.md` files of a folder and those below it, relative, with `/`, in an
 * order that no locale changes. What begins with a dot is left out, and node_modules.
 */
export async function listTextFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const name of walkFiles(folder)) if (isTextFile(name)) found.push(name);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

/** Whether a file is one of those that `listTextFiles` lists, by its name. */
export function isTextFile(name: string): boolean {
  return TEXT.test(name);
}

/**
 * The files of `listTextFiles` as documents: the id is the path, there is no title. Raises
 * 'bad-file' for a file that is not UTF-8.
 */
export async function* readTextFolder(
  folder: string,
): AsyncGenerator<BeirDocument, void, undefined> {
  for (const name of await listTextFiles(folder)) yield await documentOf(join(folder, name), name);
}

/** A file as the one document of it; the id is its name. Raises as `readTextFolder`. */
export async function* readTextFile(path: string): AsyncGenerator<BeirDocument, void, undefined> {
  yield await documentOf(path, basename(path));
}

async function documentOf(path: string, id: string): Promise<BeirDocument> {
  const bytes = await readWhole(path, MOST_OF_TEXT);
  try {
    return { id, title: '', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw badFile(path, 'not UTF-8', cause);
  }
}
