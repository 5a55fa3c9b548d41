import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ByteSink, writeParts } from '../bytes/node-file.js';
import { writeError } from '../bytes/node-file-error.js';
import { listFolder, whatLiesAt } from '../bytes/node-path-content.js';
import { LemurError } from '../errors.js';
import { STDIN } from './source.js';

/** Standard output, where a path is expected. */
export const STDOUT: string = STDIN;

/**
 * Raises 'invalid-argument' where something is already, unless it may be replaced; never lets a
 * folder be replaced by a file.
 */
export async function checkFileTarget(path: string, force: boolean): Promise<void> {
  if (path === STDOUT) return;
  const there = await whatLiesAt(path);
  if (there === 'folder') throw refused(path, `${path}: a folder, expected the name of a file`);
  if (there === 'pipe' || there === 'other')
    throw refused(path, `${path}: no file, which would be replaced; - writes to standard output`);
  if (there && !force) throw refused(path, `${path}: is there already; --force replaces it`);
}

/**
 * Raises 'invalid-argument' for a folder that is not new or empty; with `force` it may hold what is
 * written there, but nothing else.
 */
export async function checkFolderTarget(
  path: string,
  force: boolean,
  isOurs: (name: string) => boolean,
): Promise<void> {
  if (path === STDOUT)
    throw refused(path, 'a folder cannot be written to standard output; name one');
  const there = await whatLiesAt(path);
  if (there && there !== 'folder')
    throw refused(path, `${path}: a file, expected the name of a folder`);
  const names = there ? await listFolder(path) : [];
  if (names.length === 0) return;
  const foreign = names.find((name) => !isOurs(name));
  if (foreign !== undefined)
    throw refused(
      path,
      `${path}: has other things in it (${foreign}); name an empty or a new folder`,
    );
  if (!force) throw refused(path, `${path}: is there already; --force replaces what is in it`);
}

/**
 * Writes a file that comes in parts and is there when it is whole, or the parts to standard output.
 */
export async function writeOutput(
  path: string,
  write: (append: ByteSink) => Promise<void>,
): Promise<void> {
  if (path === STDOUT) return write(toStdout);
  await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
    throw writeError(dirname(path), 'made', cause);
  });
  await writeParts(path, write);
}

async function toStdout(bytes: Uint8Array): Promise<void> {
  // a copy: a pipe may take it later, and not from shared memory
  if (!process.stdout.write(new Uint8Array(bytes))) await once(process.stdout, 'drain');
}

function refused(where: string, message: string): LemurError {
  return new LemurError('invalid-argument', message, { where });
}
