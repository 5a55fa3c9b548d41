import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError, isAbsent } from '../../bytes/node-file-error.js';
import { LemurError } from '../../errors.js';
import { folderStorage } from '../../storage/node-folder.js';
import { storedSource } from '../../storage/stored-source.js';
import type { CheckpointFile, CheckpointFiles, OpenFile } from './checkpoint-files.js';

export const openPath: OpenFile = async ({ where, place }) => {
  const path = place as string;
  return storedSource(folderStorage(dirname(path)), basename(path), where);
};

/** Those of a folder, wherever the process goes. Rejects with 'not-found' where there is none. */
export async function folderFiles(folder: string): Promise<CheckpointFiles> {
  const names = await readdir(folder).catch((cause: unknown) => {
    const { code } = cause as { code?: unknown };
    if (!isAbsent(cause)) throw fileError(folder, cause, 'folder');
    const problem = code === 'ENOTDIR' ? 'no folder' : 'no such folder';
    const message =
      `${folder}: ${problem}; expected one with config.json, ` + 'tokenizer.json and *.safetensors';
    throw new LemurError('not-found', message, { where: folder }, { cause });
  });
  const root = resolve(folder);
  return {
    name: folder,
    model: { folder: basename(root) },
    open: openPath,
    names: async () => names,
    async find(name) {
      const found = await folderFile(root, name);
      return found && { ...found, where: join(folder, name) };
    },
  };
}

/** undefined where the folder has no such file. */
export async function folderFile(
  folder: string,
  name: string,
): Promise<CheckpointFile | undefined> {
  const path = join(folder, name);
  const found = await stat(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw fileError(path, error);
  });
  return found?.isFile() ? { where: path, place: path } : undefined;
}
