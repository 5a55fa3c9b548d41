import { LemurError, notFound } from '../../errors.js';
import { beginsAs, isOfFormat, isTemporaryOf } from '../../storage/own-files.js';
import type { Storage } from '../../storage/storage.js';
import { DATA_FILE } from './check-manifest.js';
import { MANIFEST } from './manifest.js';

/**
 * Whether a file is surely a collection's data file: by its name and by how it begins, since a
 * saved `Lemur` or a user may have files of such names.
 */
async function isDataFile(storage: Storage, name: string): Promise<boolean> {
  const kind = DATA_FILE.exec(name)?.[1];
  return kind !== undefined && isOfFormat(storage, name, `lemur-${kind}`);
}

/**
 * Whether a file is surely a collection's own: a data file, or what was left of a manifest that was
 * being replaced.
 */
export async function isOwnFile(storage: Storage, name: string): Promise<boolean> {
  if (isTemporaryOf(name, MANIFEST)) return true;
  // as earlier versions called it
  if (name === `${MANIFEST}.tmp`) return beginsAs(storage, name, 0, '{"format":"lemur-index"');
  return isDataFile(storage, name);
}

/** Which data files of a collection lie there without a manifest, in words; undefined: none. */
export async function dataFilesLeft(
  storage: Storage,
  names: readonly string[],
): Promise<string | undefined> {
  const found: string[] = [];
  // a projection alone is what an interrupted creation leaves
  const data = names.filter((name) => !name.startsWith('projection.'));
  for (const name of data.sort()) if (await isDataFile(storage, name)) found.push(name);
  if (found.length === 0) return undefined;
  const [first, ...others] = found;
  const which = others.length === 0 ? first : `${first} and ${others.length} more`;
  return (
    `${MANIFEST} is missing, but data files of a collection are there (${which}): ` +
    `put its ${MANIFEST} back, from a copy`
  );
}

/**
 * The error for a place whose manifest could not be found. It never advises to make a collection
 * where the files of one are.
 */
export async function noCollection(
  storage: Storage,
  failure: LemurError<'not-found'>,
): Promise<LemurError> {
  const names = await storage.list();
  // something else than a file has its name
  if (names.includes(MANIFEST)) return failure;
  const left = await dataFilesLeft(storage, names);
  const problem = left ?? `no collection here (${MANIFEST} is missing): Index.create makes one`;
  return notFound(storage.name, problem);
}

/** What may lie in a folder that nobody put anything into: lock, what earlier versions wrote. */
const BESIDE = /^(?:\.|writer\.lock|index\.json|projection\.npy$|encoder\.json$)/;

/**
 * Raises 'invalid-argument' for a folder that has files of others, such as the very notes that are
 * meant to go into a collection.
 */
export async function checkOwnFolder(storage: Storage): Promise<void> {
  if (storage.path === undefined) return;
  const names = (await storage.list()).sort();
  const other = names.find((name) => !BESIDE.test(name) && !DATA_FILE.test(name));
  if (other === undefined) return;
  const problem =
    `${storage.name}: the folder has other things in it (${other}); name an empty or a new one ` +
    '(Index.create makes a collection beside them)';
  throw new LemurError('invalid-argument', problem, { where: storage.name });
}

/** Raises 'already-exists' where there is a collection, or the files of one. */
export async function checkVacant(storage: Storage): Promise<void> {
  const names = await storage.list();
  const where = storage.name;
  if (names.includes(MANIFEST))
    throw new LemurError(
      'already-exists',
      `${where}: there is a collection already: Index.open opens it, ` +
        'another folder has room for a new one',
      {
        where,
      },
    );
  const left = await dataFilesLeft(storage, names);
  if (left)
    throw new LemurError(
      'already-exists',
      `${where}: ${left}; another folder has room for a new collection`,
      { where },
    );
}
