import type { IndexManifest, RootEntry } from '../files/manifest.js';
import type { Recorded } from './recorded.js';
import { prefixOf, rootName } from './root-name.js';

/** A root as a collection knows it, or would. */
export interface KnownRoot {
  readonly number: number;
  readonly entry: RootEntry;
  /** Whether the manifest lacks it. */
  readonly isNew: boolean;
}

/**
 * The root of that name. The first one's ids stand as they are, those of others begin with their
 * name; a root that nothing is left of counts no more.
 */
export function knownRoot(
  root: string,
  folder: string | undefined,
  { roots = [] }: Pick<IndexManifest, 'roots'>,
  recorded: Pick<Recorded, 'isUsed'>,
): KnownRoot {
  const name = rootName(root, folder);
  const number = roots.findLastIndex((entry) => entry.root === name);
  const others = roots.filter((_, i) => i !== number && recorded.isUsed(i));
  const taken = others.map(({ prefix }) => prefix);
  if (number >= 0) {
    const entry = roots[number];
    // it may have got its prefix, or lost it to another, while it was empty
    if (recorded.isUsed(number) || !taken.includes(entry.prefix))
      return { number, entry, isNew: false };
  }
  const prefix = taken.length === 0 ? '' : prefixOf(root, taken);
  return { number: roots.length, entry: { root: name, prefix }, isNew: true };
}
