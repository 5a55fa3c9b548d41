import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LemurError } from '../errors.js';
import { isAbsent } from '../formats/node-file-error.js';

/** The files of a checkpoint, wherever they come from. Names have slashes: `1_Dense/config.json`. */
export interface CheckpointFiles {
  /** A folder's path or a hub's id, for messages. */
  readonly name: string;
  /** Where the file is on this machine; undefined where the checkpoint has none of that name. */
  find(name: string): Promise<string | undefined>;
  /** What files there are at its top, as far as that is known, for messages. */
  names(): Promise<readonly string[]>;
}

/** Those of a folder. Rejects with 'not-found' where there is none. */
export async function folderFiles(folder: string): Promise<CheckpointFiles> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new LemurError(
      'not-found',
      `${folder}: no such folder; expected one with config.json, tokenizer.json and *.safetensors`,
      { where: folder },
      { cause },
    );
  });
  return {
    name: folder,
    names: async () => names,
    async find(name) {
      const path = join(folder, name);
      const found = await stat(path).catch((error: unknown) => {
        if (isAbsent(error)) return undefined;
        throw error;
      });
      return found?.isFile() ? path : undefined;
    },
  };
}

/** A parsed file; undefined where there is none. Rejects with 'bad-file'. */
export async function readJson(
  files: CheckpointFiles,
  name: string,
): Promise<{ json: Record<string, unknown>; where: string } | undefined> {
  const path = await files.find(name);
  if (path === undefined) return undefined;
  try {
    return { json: JSON.parse(await readFile(path, 'utf8')), where: path };
  } catch (cause) {
    throw new LemurError('bad-file', `${path}: not JSON`, { where: path }, { cause });
  }
}

/** The same for a file that must be there. Rejects with 'not-found' too. */
export async function needJson(files: CheckpointFiles, name: string): Promise<{ json: Record<string, unknown>; where: string }> {
  const found = await readJson(files, name);
  if (!found) throw await missing(files, name);
  return found;
}

/** A 'not-found' that says what there is. */
export async function missing(files: CheckpointFiles, name: string): Promise<LemurError> {
  const names = await files.names();
  const message = `${files.name}: no ${name}; found ${names.length === 0 ? 'an empty folder' : names.join(', ')}`;
  return new LemurError('not-found', message, { where: join(files.name, name) });
}
