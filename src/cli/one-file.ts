import { realpath } from 'node:fs/promises';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { placeOf } from '../collection/mirror/root-name.js';
import { badFile, invalidArgument, isLemurError } from '../errors.js';
import { fileText, notText } from '../files/node-file-text.js';
import { kindOf } from '../files/node-kinds.js';
import { readBytes } from '../files/node-read-bytes.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import { hasIndex, readManifest } from './open-index.js';

/** Bytes of a file at most, as of one in a folder. */
const MOST_BYTES = 2 ** 26;
const JSON_LINES = /\.(?:jsonl?|ndjson|gz)$/i;

/** Whether a file is one whose text a library unpacks, by its name. */
export function isPackedText(path: string): boolean {
  return ['pdf', 'docx'].includes(kindOf(path));
}

/** Whether a file is read as a folder's files are, by its name, and not as JSON lines. */
export function isOneText(path: string): boolean {
  return extname(path) !== '' && !JSON_LINES.test(path) && kindOf(path) !== 'media';
}

/** Where the folders are that an index is kept in step with. */
export async function placesAround(index: string): Promise<string[]> {
  const { roots = [] } = (await hasIndex(index)) ? await readManifest(index) : {};
  const from = roots.length > 0 ? await realpath(index) : '';
  return roots.flatMap(({ root }) => placeOf(root, from) ?? []);
}

/**
 * The folder that a file is of to an index, and its path from there: the nearest one around it of
 * `placesAround`, or else its own.
 */
export async function folderOfFile(
  path: string,
  places: readonly string[],
): Promise<{ folder: string; name: string }> {
  const own = await realpath(dirname(resolve(path)));
  const around = places
    .filter((place) => `${own.replaceAll('\\', '/')}/`.startsWith(`${place}/`.replace('//', '/')))
    .sort((a, b) => b.length - a.length);
  const folder = around[0] ?? own;
  const name = relative(folder, resolve(own, basename(path))).replaceAll('\\', '/');
  return { folder, name };
}

/**
 * A file as the one document of it; the id is its name. Rejects with 'bad-file' for what is no
 * text, 'missing-package', and 'invalid-argument' with what else a reader says of it.
 */
export async function* readOneText(path: string): AsyncGenerator<BeirDocument, void, undefined> {
  const id = basename(path);
  const bytes = (await readBytes(path, MOST_BYTES))?.bytes;
  if (!bytes || notText(kindOf(path), bytes)) throw badFile(path, 'no text, expected UTF-8');
  const { text, title, fields } = await fileText(id, bytes).catch((error: unknown) => {
    if (isLemurError(error)) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    throw invalidArgument(path, `it cannot be read: ${problem}`);
  });
  yield { id, title: '', text, metadata: { ...fields, ...(title && { title }) } };
}
