import { type ByteSource, readAll } from '../../bytes/byte-source.js';
import { badFile, isLemurError, LemurError } from '../../errors.js';
import { hasLevels, MOST_JSON_LEVELS } from '../../formats/json/json-levels.js';
import type { ModelReference } from './model-reference.js';

/** A file of a checkpoint, in a form that a message carries to another thread. */
export interface CheckpointFile {
  /** Its path or address, for messages. */
  readonly where: string;
  /** A path of this machine, or bytes that a browser keeps. */
  readonly place: string | Blob;
}

/** How this platform reads a file in parts. */
export type OpenFile = (file: CheckpointFile) => Promise<ByteSource>;

/**
 * The files of a checkpoint, wherever they come from. Names have slashes: `1_Dense/config.json`.
 */
export interface CheckpointFiles {
  /** A folder's path, an address or a hub's id, for messages. */
  readonly name: string;
  /** By which another process finds them; undefined: not by a name. */
  readonly model?: ModelReference | undefined;
  readonly open: OpenFile;
  /** undefined where the checkpoint has no file of that name. */
  find(name: string): Promise<CheckpointFile | undefined>;
  /** What files there are at its top, as far as that is known, for messages. */
  names(): Promise<readonly string[]>;
  /** Called when they have been loaded, and what was found out about them was right. */
  settle?(): Promise<void>;
  /** Called when what is in them cannot be loaded. */
  reject?(): Promise<void>;
}

/** What is said of files that cannot be loaded. */
const OF_CONTENT: readonly string[] = [
  'bad-file',
  'unsupported',
  'not-found',
  'dimension-mismatch',
];

/** What `act` gives. Where it fails because of what is in the files, they are told so first. */
export async function orReject<T>(
  files: () => CheckpointFiles | undefined,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isLemurError(error) && OF_CONTENT.includes(error.code)) await files()?.reject?.();
    throw error;
  }
}

/** A parsed file, and what it is called in messages. */
export interface ParsedFile {
  readonly json: Record<string, unknown>;
  readonly where: string;
}

/** A parsed file; undefined where there is none. Rejects with 'bad-file'. */
export async function readJson(
  files: CheckpointFiles,
  name: string,
): Promise<ParsedFile | undefined> {
  const file = await files.find(name);
  if (file === undefined) return undefined;
  const { where } = file;
  const text = new TextDecoder().decode(await readAll(await files.open(file)));
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw badFile(where, 'not JSON', cause);
  }
  if (!hasLevels(json))
    throw badFile(
      where,
      `more than ${MOST_JSON_LEVELS} levels of objects and arrays, as no settings have`,
    );
  return { json, where };
}

/** The same for a file that must be there. Rejects with 'not-found' too. */
export async function needJson(files: CheckpointFiles, name: string): Promise<ParsedFile> {
  const found = await readJson(files, name);
  if (!found) throw await missing(files, name);
  return found;
}

/** A 'not-found' that says what there is. */
export async function missing(files: CheckpointFiles, name: string): Promise<LemurError> {
  const names = await files.names();
  const message =
    `${files.name}: no ${name}; ` +
    `found ${names.length === 0 ? 'no other files' : names.join(', ')}`;
  return new LemurError('not-found', message, { where: `${files.name}/${name}` });
}
