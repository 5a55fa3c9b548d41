import type { RootEntry } from '../files/manifest.js';
import type { Snapshot } from '../files/snapshot.js';
import type { Recorded } from './recorded.js';
import { placeOf } from './root-name.js';

/** A root that lies around another one, or within it. */
export interface Overlap {
  readonly number: number;
  readonly entry: RootEntry;
  /** The way down from the outer one to the inner one, with `/` at its end. */
  readonly way: string;
  /** Whether it is the outer one. */
  readonly isAround: boolean;
}

/** The roots whose folders lie around that of `own`, or within it. */
export function overlapsOf(
  roots: readonly RootEntry[],
  own: string,
  folder: string | undefined,
): Overlap[] {
  const placed = (name: string): string | undefined => {
    const place = placeOf(name, folder ?? '');
    // '/' is around all
    return place && `${place}/`.replace('//', '/');
  };
  const here = placed(own);
  return roots.flatMap((entry, number): Overlap[] => {
    const there = here && placed(entry.root);
    if (!there || there === here) return [];
    const isAround = here.startsWith(there);
    if (!isAround && !there.startsWith(here)) return [];
    const way = isAround ? here.slice(there.length) : there.slice(here.length);
    return [{ number, entry, way, isAround }];
  });
}

/** The id of the same file as one of `roots` has it in the collection, and that root. */
export function recordedElsewhere(
  id: string,
  overlaps: readonly Overlap[],
  snapshot: Snapshot,
  recorded: Recorded,
): { id: string; root: Overlap } | undefined {
  for (const root of overlaps) {
    const { entry, way, isAround, number } = root;
    if (!isAround && !id.startsWith(way)) continue;
    const other = entry.prefix + (isAround ? way + id : id.slice(way.length));
    const [first] = snapshot.findSource(other);
    if (first !== undefined && recorded.of(first)?.root === number) return { id: other, root };
  }
  return undefined;
}
