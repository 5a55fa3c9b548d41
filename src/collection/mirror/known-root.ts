import type { IndexManifest, RootEntry } from '../files/manifest.js';
import { type Overlap, overlapsOf } from './overlap.js';
import type { Recorded } from './recorded.js';
import { placeOf, prefixOf, realPathOf, rootName } from './root-name.js';

/** A root as a collection knows it, or would. */
export interface KnownRoot {
  readonly number: number;
  readonly entry: RootEntry;
  /** Whether the manifest lacks it. */
  readonly isNew: boolean;
  /** Others whose folders lie around it, or within it. */
  readonly overlaps: readonly Overlap[];
}

/** The collection's own folder, where it is in one, and what it knows. */
interface Knowing {
  readonly folder: string | undefined;
  readonly manifest: Pick<IndexManifest, 'roots'>;
  readonly recorded: Pick<Recorded, 'isUsed'>;
}

/**
 * The root of that name, whatever links lead to it or to the collection. The first one's ids stand
 * as they are, those of others begin with their name; a root that nothing is left of counts no
 * more. A folder that has the same name, or the same files, elsewhere is another root: what is gone
 * of a root is deleted, so none may pass for another.
 */
export async function knownRoot(
  root: string,
  { folder, manifest: { roots = [] }, recorded }: Knowing,
): Promise<KnownRoot> {
  const [real, own] = [await realPathOf(root), folder && (await realPathOf(folder))];
  const name = rootName(real, own);
  const number = await numberOf(roots, name, real, own);
  const others = roots.filter((_, i) => i !== number && recorded.isUsed(i));
  const overlaps = overlapsOf(roots, name, own).filter(
    (other) => other.number !== number && recorded.isUsed(other.number),
  );
  const taken = others.map(({ prefix }) => prefix);
  if (number >= 0) {
    const entry = roots[number];
    // it may have got its prefix, or lost it to another, while it was empty
    if (recorded.isUsed(number) || !taken.includes(entry.prefix))
      return { number, entry, isNew: false, overlaps };
  }
  const prefix = taken.length === 0 ? '' : prefixOf(root, taken);
  return { number: roots.length, entry: { root: name, prefix }, isNew: true, overlaps };
}

/** The last root of that name, or whose place has become a link to this one; -1: none. */
async function numberOf(
  roots: readonly RootEntry[],
  name: string,
  real: string,
  folder: string | undefined,
): Promise<number> {
  const number = roots.findLastIndex((entry) => entry.root === name);
  if (number >= 0 || folder === undefined) return number;
  for (let i = roots.length - 1; i >= 0; i--) {
    const place = placeOf(roots[i].root, folder);
    if (place !== undefined && (await realPathOf(place)) === real) return i;
  }
  return -1;
}
