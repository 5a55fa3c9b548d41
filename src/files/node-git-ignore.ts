import { lstat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { readWhole } from '../bytes/node-file.js';
import { type IgnoreTest, ignoreTest } from './node-vendor.js';

/** Patterns of a folder, which hold for what is in it and below. */
export interface IgnoreRules {
  /** The folder, from the root on, '' or ending with `/`; of one above the root the way down. */
  readonly base: string;
  readonly test: IgnoreTest;
}

const NAME = '.gitignore';
const MOST_BYTES = 1 << 20;
/** Folders above a root that are looked at. */
const MOST_LEVELS = 64;

/** The patterns of a folder; undefined where it has none that can be read. */
export async function readIgnoreFile(folder: string): Promise<IgnoreTest | undefined> {
  try {
    return ignoreTest(new TextDecoder().decode(await readWhole(join(folder, NAME), MOST_BYTES)));
  } catch {
    return undefined;
  }
}

/**
 * Patterns of the folders above a root, down from where its repository begins, the outermost first;
 * none where there is no repository. Those that leave out the root itself, which was named, do not
 * count.
 */
export async function rulesAbove(root: string): Promise<IgnoreRules[]> {
  if (await exists(join(root, '.git'))) return [];
  const above: string[] = [];
  for (let at = dirname(root), level = 0; level < MOST_LEVELS; level++, at = dirname(at)) {
    above.unshift(at);
    if (await exists(join(at, '.git'))) break;
    if (dirname(at) === at) return [];
  }
  const rules: IgnoreRules[] = [];
  for (const folder of above) {
    const test = await readIgnoreFile(folder);
    const down = `${relative(folder, root).replaceAll('\\', '/')}/`;
    if (test && !test(down).ignored) rules.push({ base: down, test });
  }
  return rules;
}

/**
 * Whether the patterns leave out a path, that of a folder with `/` at its end; the inner ones count
 * more.
 */
export function isIgnored(
  path: string,
  above: readonly IgnoreRules[],
  within: readonly IgnoreRules[],
): boolean {
  let ignored = false;
  const look = (own: string, test: IgnoreTest): void => {
    const said = test(own);
    if (said.ignored) ignored = true;
    else if (said.unignored) ignored = false;
  };
  for (const { base, test } of above) look(base + path, test);
  for (const { base, test } of within) look(path.slice(base.length), test);
  return ignored;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
