import { platform } from '../../platform.js';
import type { IndexManifest, RootEntry } from '../files/manifest.js';
import type { Recorded } from './recorded.js';
import { isAbove, lastPart, placeOf, prefixOf, rootNames } from './root-name.js';

/** A root as a collection knows it, or would. */
export interface KnownRoot {
  readonly number: number;
  readonly entry: RootEntry;
  /** Whether the manifest lacks it. */
  readonly isNew: boolean;
  /** What it is called in the manifest, where the collection seems to have moved without it. */
  readonly before?: string | undefined;
}

/** The collection's own folder, where it is in one, and what it knows. */
interface Knowing {
  readonly folder: string | undefined;
  readonly manifest: Pick<IndexManifest, 'roots'>;
  readonly recorded: Pick<Recorded, 'isUsed'>;
}

/**
 * The root of that name. The first one's ids stand as they are, those of others begin with their
 * name; a root that nothing is left of counts no more. A folder that no root is called by, where
 * one of the same last name is not there any more, is taken for that one where `moves`.
 */
export async function knownRoot(
  root: string,
  { folder, manifest: { roots = [] }, recorded }: Knowing,
  moves: boolean,
): Promise<KnownRoot> {
  const names = await rootNames(root, folder);
  const numbers = names.map((name) => roots.findLastIndex((entry) => entry.root === name));
  const number = numbers.find((found) => found >= 0) ?? -1;
  const others = roots.filter((_, i) => i !== number && recorded.isUsed(i));
  const taken = others.map(({ prefix }) => prefix);
  if (number >= 0) {
    const entry = roots[number];
    // it may have got its prefix, or lost it to another, while it was empty
    if (recorded.isUsed(number) || !taken.includes(entry.prefix))
      return { number, entry, isNew: false };
  } else if (moves && folder !== undefined) {
    const left = await leftBehind(root, folder, roots, recorded);
    if (left !== undefined) {
      const { root: before, prefix } = roots[left];
      return { number: left, entry: { root: names[0], prefix }, isNew: false, before };
    }
  }
  const prefix = taken.length === 0 ? '' : prefixOf(root, taken);
  return { number: roots.length, entry: { root: names[0], prefix }, isNew: true };
}

/** The only folder of the same last name that is not where it was; undefined: none, or several. */
async function leftBehind(
  root: string,
  folder: string,
  roots: readonly RootEntry[],
  recorded: Pick<Recorded, 'isUsed'>,
): Promise<number | undefined> {
  const { realPath } = platform();
  if (!realPath) return undefined;
  const found: number[] = [];
  for (const [i, entry] of roots.entries()) {
    if (!recorded.isUsed(i) || !isAbove(entry.root) || lastPart(entry.root) !== lastPart(root))
      continue;
    if ((await realPath(placeOf(entry.root, folder))) === undefined) found.push(i);
  }
  return found.length === 1 ? found[0] : undefined;
}
