import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { eachChunk } from '../../bytes/byte-source.js';
import { writeFrom } from '../../bytes/node-file.js';
import { writeError } from '../../bytes/node-file-error.js';
import { createReplacement, type Replacement } from '../../bytes/node-replacement.js';
import { userCache } from '../../bytes/node-user-cache.js';
import type { CheckpointFile } from './checkpoint-files.js';
import type { HubCache } from './hub-cache.js';
import { folderFile, openPath } from './node-files.js';

/** Milliseconds after which a download that somebody has begun is not going on any more. */
const LEFT_BEHIND = 86_400_000;

/**
 * A folder for each model and revision; that a file is not there is kept as an empty file beside
 * where it would be.
 */
export function hubFolder(id: string, revision: string, cacheFolder: string | undefined): HubCache {
  const folder = join(
    resolve(cacheFolder ?? userCache()),
    ...id.split('/'),
    encodeURIComponent(revision),
  );
  const absent = (name: string): string => join(folder, `${name}.absent`);
  return {
    where: folder,
    seesRedirects: true,
    open: openPath,
    names: () => readdir(folder).catch(() => []),
    async find(name) {
      const kept = await folderFile(folder, name);
      if (kept) return kept;
      const marker = await stat(absent(name)).catch(() => undefined);
      return marker?.isFile() ? { age: Math.abs(Date.now() - marker.mtimeMs) } : undefined;
    },
    async keep(name, chunks, check): Promise<CheckpointFile> {
      const path = join(folder, name);
      const made = await kept(path, async () => {
        await mkdir(dirname(path), { recursive: true });
        await sweep(path);
        return createReplacement(path);
      });
      try {
        await fill(path, made, chunks);
        await check({ where: path, place: made.temporary });
        await kept(path, () => putInPlace(made.temporary, path));
      } catch (error) {
        await made.discard().catch(() => {});
        throw error;
      }
      return { where: path, place: path };
    },
    async keepAbsent(name) {
      const path = absent(name);
      const now = new Date();
      try {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, '');
        await utimes(path, now, now);
      } catch {
        // a cache that may only be read: it is asked again
      }
    },
    async forget(name) {
      await rm(join(folder, name), { force: true }).catch(() => {});
    },
    async hash(kind, before, file) {
      const hash = createHash(kind).update(before);
      const source = await openPath(file);
      await eachChunk(source, 0, source.size, undefined, (chunk) => void hash.update(chunk));
      return hash.digest('hex');
    },
  };
}

/** Errors of the chunks go on as they are. */
async function fill(
  path: string,
  { file }: Replacement,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  let written = 0;
  for await (const chunk of chunks) {
    await kept(path, () => writeFrom(file, chunk, written));
    written += chunk.length;
  }
  await kept(path, async () => {
    await file.sync();
    await file.close();
  });
}

/** Whoever else has put the same file there, and has it open: theirs is as good. */
async function putInPlace(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path);
  } catch (error) {
    if (!(await folderFile(dirname(path), basename(path)).catch(() => undefined))) throw error;
    await rm(temporary, { force: true });
  }
}

/** Removes what downloads of the same file have left that were killed. */
async function sweep(path: string): Promise<void> {
  const name = basename(path);
  for (const other of await readdir(dirname(path))) {
    const rest = other.startsWith(`${name}.`) ? other.slice(name.length + 1) : '';
    if (!/^([0-9a-f]{16}\.tmp|\d+\.part)$/.test(rest)) continue;
    const left = join(dirname(path), other);
    const begun = await stat(left).catch(() => undefined);
    if (begun && Date.now() - begun.mtimeMs > LEFT_BEHIND)
      await rm(left, { force: true }).catch(() => {});
  }
}

/** What the system refuses as an error of ours. */
async function kept<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw writeError(
      path,
      'kept in the cache (the option cacheFolder names another folder)',
      cause,
    );
  }
}
