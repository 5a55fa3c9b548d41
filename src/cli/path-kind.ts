import { join } from 'node:path';
import { fileKind } from '../bytes/file-kind.js';
import { readHead } from '../bytes/node-file.js';
import { listFolder, whatLiesAt } from '../bytes/node-path-content.js';
import { walkFiles } from '../bytes/node-walk.js';
import { MANIFEST } from '../collection/files/manifest.js';
import { invalidArgument, isLemurError, notFound } from '../errors.js';
import { isTextFile } from '../formats/texts/node-text-folder.js';
import { hasTxtaiTensors } from '../lemur/txtai-artefact.js';
import { folderStorage } from '../storage/node-folder.js';
import { openStoredSafetensors } from '../storage/stored-safetensors.js';

/** Kinds of content of a path, as far as this command knows. */
export type PathKind =
  | 'index'
  | 'saved Lemur'
  | 'index of the Python reference'
  | 'LEMUR artefact of txtai'
  | 'token vectors'
  | 'BEIR folder'
  | 'encoder'
  | 'folder of texts'
  | '.npy'
  | '.npz'
  | 'safetensors'
  | 'torch file'
  | 'text file'
  | 'unknown';

/**
 * Folders by the files that make them what they are; the first that fits counts. A name may have
 * `.gz` behind it.
 */
const FOLDERS: readonly (readonly [PathKind, ...string[]])[] = [
  ['saved Lemur', 'lemur.json'],
  ['index of the Python reference', 'mlp.pt', 'w.pt'],
  ['token vectors', 'tokens.npy', 'counts.npy'],
  ['BEIR folder', 'corpus.jsonl'],
  ['encoder', 'config.json', 'tokenizer.json'],
];

/** Files by their content, folders by what is in them. Raises 'not-found' where nothing is. */
export async function pathKind(path: string): Promise<PathKind> {
  const what = await whatLiesAt(path);
  if (!what) throw notFound(path, 'no such file or folder');
  if (what === 'pipe') {
    throw invalidArgument(
      path,
      'a pipe, which can be read once alone; expected a file or a folder',
    );
  }
  if (what !== 'folder') return kindOfFile(path);
  const names = new Set(
    (await listFolder(path)).flatMap((name) => [name, name.replace(/\.gz$/, '')]),
  );
  if (names.has(MANIFEST) && (await isIndex(path))) return 'index';
  const known = FOLDERS.find(([, ...needed]) => needed.every((name) => names.has(name)));
  if (known) return known[0];
  if (names.has('config.json') && names.has('model.safetensors') && (await isTxtai(path)))
    return 'LEMUR artefact of txtai';
  return (await hasTextFiles(path)) ? 'folder of texts' : 'unknown';
}

/** Files of a folder and those below that are looked at; a whole disk may lie there. */
export const MOST_FILES = 5000;

async function hasTextFiles(path: string): Promise<boolean> {
  let looked = 0;
  for await (const name of walkFiles(path, { tolerant: true })) {
    if (isTextFile(name)) return true;
    if (++looked === MOST_FILES) break;
  }
  return false;
}

/** Other things have an index.json too. */
async function isIndex(folder: string): Promise<boolean> {
  const path = join(folder, MANIFEST);
  if ((await whatLiesAt(path)) !== 'file') return false;
  const { head } = await readHead(path, 64);
  return Buffer.from(head).includes('"lemur-index"');
}

/** An encoder's weights have these names too, so the names in them decide. */
async function isTxtai(folder: string): Promise<boolean> {
  // where they cannot be read a word of txtai's does, so that what is damaged is called by its name
  try {
    return hasTxtaiTensors(await openStoredSafetensors(folderStorage(folder), 'model.safetensors'));
  } catch (error) {
    if (!isLemurError(error, 'bad-file')) throw error;
    return Buffer.from((await readHead(join(folder, 'config.json'), 4096)).head).includes(
      '"modeltype"',
    );
  }
}

async function kindOfFile(path: string): Promise<PathKind> {
  const { head } = await readHead(path, 4096);
  switch (fileKind(head)) {
    case 'npy':
      return '.npy';
    case 'npz':
      return '.npz';
    case 'safetensors':
      return 'safetensors';
    case 'zip':
      return 'torch file';
    case 'gzip':
      return 'text file';
    case 'text':
      return head.includes(0) ? 'unknown' : 'text file';
    default:
      return 'unknown';
  }
}

/** Kinds whose token vectors can be read. */
export function hasVectors(kind: PathKind): boolean {
  return kind === 'token vectors' || kind === '.npy' || kind === 'safetensors';
}

/** Kinds whose texts can be read. */
export function hasTexts(kind: PathKind): boolean {
  return kind === 'BEIR folder' || kind === 'folder of texts' || kind === 'text file';
}
