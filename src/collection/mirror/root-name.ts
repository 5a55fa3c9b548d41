import { platform } from '../../platform.js';

/** An absolute path: of Unix, or of Windows by its drive. */
const ABSOLUTE = /^(\/|[a-z]:[\\/])/i;

/**
 * What a root is called in a collection: of an absolute path the way to it from the collection's
 * own folder, so that both may move together and nothing is told of what lies around them. Other
 * names stay as they are.
 */
export function rootName(root: string, folder: string | undefined): string {
  if (!ABSOLUTE.test(root)) return root;
  const to = partsOf(root);
  if (folder === undefined) return to.join('/') || '/';
  const from = partsOf(folder);
  // on Windows there is no way from drive to drive
  if (to[0] !== from[0]) return to.join('/');
  let same = 0;
  while (same < from.length && same < to.length && from[same] === to[same]) same++;
  return [...from.slice(same).map(() => '..'), ...to.slice(same)].join('/') || '.';
}

/** Without links; as it is given where it is not there, but for those on the way to it. */
export async function realPathOf(path: string): Promise<string> {
  const { realPath } = platform();
  if (!realPath || !ABSOLUTE.test(path)) return path;
  const real = await realPath(path);
  if (real !== undefined) return real;
  const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  const above = await realPath(path.slice(0, end) || '/');
  return above === undefined ? path : `${above === '/' ? '' : above}${path.slice(end)}`;
}

/** Where a root of that name is, seen from a folder; undefined: nowhere there. */
export function placeOf(name: string, folder: string): string | undefined {
  if (ABSOLUTE.test(name)) return name;
  // it is a way to somewhere else, or a name that its source has given it
  if (name !== '.' && !name.startsWith('../')) return undefined;
  const parts = partsOf(folder);
  for (const part of name.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  return parts.join('/') || '/';
}

function lastPart(path: string): string | undefined {
  return path.replaceAll('\\', '/').split('/').filter(Boolean).at(-1);
}

/** Its parts, the first the drive or ''. */
function partsOf(path: string): string[] {
  const parts = path.replaceAll('\\', '/').split('/');
  return parts.filter((part, i) => i === 0 || (part !== '' && part !== '.'));
}

/** What ids of documents of a further root begin with. */
export function prefixOf(root: string, taken: readonly string[]): string {
  const name = lastPart(root) ?? 'root';
  for (let number = 1; ; number++) {
    const prefix = number === 1 ? `${name}/` : `${name}-${number}/`;
    if (!taken.includes(prefix)) return prefix;
  }
}
