import { basename, resolve } from 'node:path';
import type { Index } from '../collection/index.js';
import { invalidArgument, isLemurError, LemurError } from '../errors.js';
import type { Context } from './context.js';
import { hasIndexEncoder } from './index-encoder.js';
import { type OpenedIndex, openIndex, readManifest } from './open-index.js';

export interface ServedArguments {
  write: boolean;
  threads?: number | undefined;
}

/** Indexes under the names that they are served by. */
export interface OpenedIndexes {
  readonly indexes: Record<string, Index>;
  close(): Promise<void>;
}

/** `name=folder`, where the folder's own name will not do. */
const NAMED = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+)$/s;

/**
 * Opens indexes with their encoders, for writing or to follow who writes them. Where an encoder is
 * not to be had, the others and keywords are served all the same. Raises 'invalid-argument' for
 * names that cannot be, and what opening raises.
 */
export async function openServed(
  folders: readonly string[],
  options: ServedArguments,
  context: Context,
): Promise<OpenedIndexes> {
  const named = namedFolders(folders);
  const all: OpenedIndex[] = [];
  const close = async (): Promise<void> => {
    for (const one of all) await one.close();
  };
  try {
    const indexes: Record<string, Index> = {};
    for (const [name, folder] of named) {
      const opened = await openOne(folder, options, context);
      all.push(opened);
      indexes[name] = opened.index;
    }
    return { indexes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openOne(
  folder: string,
  { write, threads }: ServedArguments,
  { reporter }: Context,
): Promise<OpenedIndex> {
  const made = await readManifest(folder);
  const options = { write, follow: !write, threads };
  const texts = hasIndexEncoder(folder, made);
  try {
    const opening = (): Promise<OpenedIndex> => openIndex(folder, { ...options, texts });
    return (await reporter.step(`open ${folder}`, opening, true)).value;
  } catch (error) {
    if (isLemurError(error, 'locked')) throw lockedByOther(error, folder);
    if (!isLemurError(error, 'missing-package') && !isLemurError(error, 'offline')) throw error;
    reporter.note(`${error.message}; ${folder} is served without its encoder`);
    return openIndex(folder, options);
  }
}

function lockedByOther({ fields, message }: LemurError<'locked'>, folder: string): LemurError {
  const advice = '--read-only serves it beside its writer, and follows what that commits';
  return new LemurError('locked', `${message}; ${advice}`, { ...fields, where: folder });
}

function namedFolders(folders: readonly string[]): Map<string, string> {
  const named = new Map<string, string>();
  for (const given of folders) {
    const [, chosen, path] = NAMED.exec(given) ?? [];
    const folder = path ?? given;
    const name = chosen ?? basename(resolve(folder)).replace(/\.lemur$/, '');
    if (!NAMED.test(`${name}=.`))
      throw invalidArgument(folder, `its name cannot be part of an address: name=${folder}`);
    if (named.has(name))
      throw invalidArgument(folder, `another index is called ${name} too: name=${folder}`);
    named.set(name, folder);
  }
  return named;
}
