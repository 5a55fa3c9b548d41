import { invalidArgument, isLemurError, type LemurError } from '../errors.js';
import { checkOptions } from '../known-options.js';
import { passageRules } from '../passages/passage-rules.js';
import type { Storage } from '../storage/storage.js';
import { storageOf } from '../storage-of.js';
import { showValue } from '../value-kind.js';
import { createCollection } from './create-collection.js';
import { MANIFEST } from './files/manifest.js';
import { checkOwnFolder } from './files/own-files.js';
import { type OpenCollection, openCollection } from './open-collection.js';
import { CREATE_OPTIONS } from './options/option-names.js';
import type { CreateOptions } from './options/options.js';

/** What is decided when a collection is made. */
const MADE_WITH = ['dim', 'precision', 'pooling', 'features'] as const;

/** Opens a collection for writing, or makes it. */
export async function openOrCreate(
  at: string | URL | Storage,
  options: CreateOptions,
): Promise<OpenCollection> {
  checkOptions(options, CREATE_OPTIONS, 'Index.openOrCreate');
  const found = await openThere(at, options);
  if (!isLemurError(found)) return found;
  await checkOwnFolder(storageOf(at));
  try {
    return await createCollection(at, options, true);
  } catch (error) {
    if (!isLemurError(error, 'already-exists')) throw error;
    // another has made it meanwhile
    const other = await openThere(at, options);
    if (!isLemurError(other)) return other;
    // something that is no file lies in the place of its manifest
    throw String(other.fields.where).endsWith(`/${MANIFEST}`) ? other : error;
  }
}

/** The collection that is there, or the 'not-found' where none can be opened. */
async function openThere(
  at: string | URL | Storage,
  { dim, precision, pooling, features, passages, keywords, ...others }: CreateOptions,
): Promise<OpenCollection | LemurError> {
  let collection: OpenCollection;
  try {
    const cut = typeof passages === 'function' ? passages : undefined;
    collection = await openCollection(at, { ...others, passages: cut, write: true });
  } catch (error) {
    if (isLemurError(error, 'not-found')) return error;
    throw error;
  }
  const { manifest } = collection.snapshot;
  const given = { dim, precision, pooling, features };
  try {
    for (const name of MADE_WITH) checkSame(name, given[name], manifest[name]);
    checkSame('keywords', keywords, manifest.keywords !== false);
    if (passages !== undefined && typeof passages !== 'function') {
      passageRules(passages);
      const made: Readonly<Record<string, unknown>> = manifest.passages ?? {};
      for (const [name, value] of Object.entries(passages))
        checkSame(`passages.${name}`, value, made[name]);
    }
  } catch (error) {
    await collection.close();
    throw error;
  }
  return collection;
}

/** Raises 'invalid-argument' for an option that is another one than that of the collection. */
function checkSame(name: string, given: unknown, made: unknown): void {
  if (given === undefined || given === made) return;
  const problem = `${showValue(given)}, expected ${showValue(made)}`;
  throw invalidArgument(name, `${problem}, which the collection was made with`);
}
