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

/** Its parts, the first the drive or ''. */
function partsOf(path: string): string[] {
  const parts = path.replaceAll('\\', '/').split('/');
  return parts.filter((part, i) => i === 0 || (part !== '' && part !== '.'));
}

/** What ids of documents of a further root begin with. */
export function prefixOf(root: string, taken: readonly string[]): string {
  const name = root.replaceAll('\\', '/').split('/').filter(Boolean).at(-1) ?? 'root';
  for (let number = 1; ; number++) {
    const prefix = number === 1 ? `${name}/` : `${name}-${number}/`;
    if (!taken.includes(prefix)) return prefix;
  }
}
