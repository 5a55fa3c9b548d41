import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LemurError } from '../errors.js';
import { isAbsent } from '../formats/node-file-error.js';
import { folderStorage } from '../storage/node-folder.js';
import { storedRanges } from '../storage/stored-safetensors.js';
import type { CheckpointFile, CheckpointFiles, OpenPlace } from './checkpoint-files.js';

export const openPath: OpenPlace = (place) => {
  const path = place as string;
  return storedRanges(folderStorage(dirname(path)), basename(path));
};

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
  return { name: folder, open: openPath, names: async () => names, find: (name) => folderFile(folder, name) };
}

/** undefined where the folder has no such file. */
export async function folderFile(folder: string, name: string): Promise<CheckpointFile | undefined> {
  const path = join(folder, name);
  const found = await stat(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  return found?.isFile() ? { where: path, place: path } : undefined;
}
