import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../formats/node-file-error.js';
import type { Storage } from './storage.js';

/** A folder of the file system; it comes into being with its first file. */
export function folderStorage(path: string): Storage {
  return {
    name: path,
    async read(file) {
      try {
        return await readFile(join(path, file));
      } catch (cause) {
        throw fileError(join(path, file), cause);
      }
    },
    async write(file, bytes) {
      await mkdir(path, { recursive: true });
      await writeSynced(join(path, file), bytes);
    },
    async replace(file, bytes) {
      await mkdir(path, { recursive: true });
      const temporary = join(path, `${file}.tmp`);
      await writeSynced(temporary, bytes);
      await rename(temporary, join(path, file));
      await syncFolder(path);
    },
    async list() {
      try {
        return await readdir(path);
      } catch (cause) {
        if ((cause as { code?: string }).code === 'ENOENT') return [];
        throw cause;
      }
    },
    delete: (file) => rm(join(path, file), { force: true }),
  };
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a rename durable; Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
