import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { HubCache } from './hub.js';
import { folderFile, openPath } from './node-files.js';

/** A folder for each model and revision; that a file is not there is kept as an empty file beside where it would be. */
export function hubFolder(id: string, revision: string, cacheFolder: string | undefined): HubCache {
  const folder = join(cacheFolder ?? defaultCache(), ...id.split('/'), encodeURIComponent(revision));
  const absent = (name: string): string => `${name}.absent`;
  return {
    where: folder,
    open: openPath,
    names: () => readdir(folder).catch(() => []),
    async find(name) {
      return (await folderFile(folder, name)) ?? ((await folderFile(folder, absent(name))) && null);
    },
    async keep(name, chunks) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      const part = `${path}.${process.pid}.part`;
      const file = await open(part, 'w');
      try {
        for await (const chunk of chunks) await file.write(chunk);
        await file.sync();
      } catch (error) {
        await file.close();
        await rm(part, { force: true });
        throw error;
      }
      await file.close();
      await rename(part, path);
      return { where: path, place: path };
    },
    async keepAbsent(name) {
      const path = join(folder, absent(name));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, '');
    },
  };
}

function defaultCache(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const base = XDG_CACHE_HOME || (process.platform === 'win32' && LOCALAPPDATA) || join(homedir(), '.cache');
  return join(base, 'lemur');
}
