import { whatLiesAt } from '../bytes/node-path-content.js';
import { LemurError } from '../errors.js';
import { walkFolder } from '../files/node-folder-walk.js';
import { ignoreTest } from '../files/node-vendor.js';
import { path as checkedPath } from './arguments.js';
import { folderOfFile, placesAround } from './one-file.js';
import { STDIN } from './source.js';

/** What is added in one go: a source, or files of one folder. */
export interface SourceGroup {
  readonly paths: readonly string[];
  /** Whether the index is kept in step with it. */
  readonly isKept: boolean;
}

/** What shells make paths of, where nothing keeps them from it. */
const PATTERN = /[*?[]/;

/**
 * Paths by what the command line names: each as it is, and of a pattern that no shell has read the
 * files that it fits, without those that a walk leaves out. Rejects with 'not-found' where, of
 * several, there is nothing.
 */
export async function namedPaths(sources: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const source of sources) {
    const path = checkedPath(source);
    const isThere = path === STDIN || (await whatLiesAt(path)) !== undefined;
    if (!isThere && PATTERN.test(path)) paths.push(...(await filesOf(path)));
    else if (isThere || sources.length === 1) paths.push(path);
    else throw new LemurError('not-found', `${path}: no such file or folder`, { where: path });
  }
  return [...new Set(paths)];
}

async function filesOf(pattern: string): Promise<string[]> {
  const parts = pattern.replaceAll('\\', '/').split('/');
  const first = parts.findIndex((part) => PATTERN.test(part));
  const folder = parts.slice(0, first).join('/');
  const base = first === 0 ? '.' : folder || '/';
  const fits = ignoreTest(`/${parts.slice(first).join('/')}`);
  const found: string[] = [];
  if ((await whatLiesAt(base)) === 'folder')
    for await (const path of walkFolder(base, { skip: () => {}, fail: () => {} }))
      if (fits(path).ignored) found.push(first === 0 ? path : `${folder}/${path}`);
  if (found.length > 0) return found;
  throw new LemurError('not-found', `${pattern}: no file fits this pattern`, { where: pattern });
}

/** Sources in their order; files that the index is kept in step with beside others of a folder. */
export async function groupSources(
  index: string,
  paths: readonly string[],
  isKept: (path: string) => Promise<boolean>,
): Promise<SourceGroup[]> {
  const places = await placesAround(index);
  const groups: SourceGroup[] = [];
  const ofFolders = new Map<string, string[]>();
  for (const path of paths) {
    const kept = await isKept(path);
    const isOne = kept && (await whatLiesAt(path)) === 'file';
    if (!isOne) {
      groups.push({ paths: [path], isKept: kept });
      continue;
    }
    const { folder } = await folderOfFile(path, places);
    const others = ofFolders.get(folder);
    if (others) {
      others.push(path);
      continue;
    }
    const own = [path];
    ofFolders.set(folder, own);
    groups.push({ paths: own, isKept: true });
  }
  return groups;
}
