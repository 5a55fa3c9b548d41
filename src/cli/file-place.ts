import { existsSync, realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Hit } from '../collection/options/results.js';
import type { IndexStats } from '../collection/query/stats.js';
import { keepsLines } from '../files/node-kinds.js';

/** Where the file of a hit is from here, and whether its lines are those of the text. */
export interface FilePlace {
  readonly path: string;
  readonly hasLines: boolean;
}

/** Finds the files of hits; undefined: it is of none, or that is not there any more. */
export type FindFile = (hit: Hit) => FilePlace | undefined;

/** The files that an index in a folder is kept in step with. */
export function filesOfIndex(folder: string, { roots }: Pick<IndexStats, 'roots'>): FindFile {
  // ways to roots are those from where it is, whichever links lead there
  const places = [folder, existsSync(folder) ? realpathSync(folder) : folder];
  return ({ id, passage, metadata }) => {
    const source = passage?.source ?? id;
    const own: unknown = metadata?.path;
    for (const { root, prefix } of roots) {
      if (typeof own !== 'string' || source !== prefix + own) continue;
      const path = places.map((place) => resolve(place, root, own)).find((at) => existsSync(at));
      if (path === undefined) continue;
      const near = relative('', path);
      // the way down is shorter than the way up and down again
      const isFar = near.startsWith('../../..') || near.length > path.length;
      return { path: isFar ? path : near, hasLines: keepsLines(path) };
    }
    return undefined;
  };
}
