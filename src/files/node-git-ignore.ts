import { lstat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { readWhole } from '../bytes/node-file.js';
import { isLemurError, unsupported } from '../errors.js';
import { pacer, stepPacer } from '../pacer.js';
import { type IgnoreTest, ignoreTest } from './node-vendor.js';

/** Patterns of a folder, which hold for what is in it and below. */
export interface IgnoreRules {
  /** The folder, from the root on, '' or ending with `/`; of one above the root the way down. */
  readonly base: string;
  /** Parts of them, in their order. */
  readonly tests: readonly IgnoreTest[];
}

export const IGNORE_FILE = '.gitignore';
const MOST_BYTES = 1 << 20;
/** Characters of a pattern: no path is longer. */
const MOST_CHARACTERS = 4096;
/** Patterns that are made, and asked, in one go. */
const PATTERNS_AT_ONCE = 128;
/** Folders above a root that are looked at. */
const MOST_LEVELS = 64;

/**
 * The patterns of a folder, in parts; none where it has no such file. Gives way to other work.
 * Rejects with what is wrong with a file that is there: 'unsupported' for more than 1 MiB, and for
 * a pattern of more than 4,096 characters.
 */
export async function readIgnoreFile(folder: string): Promise<IgnoreTest[]> {
  const path = join(folder, IGNORE_FILE);
  let text: string;
  try {
    text = new TextDecoder().decode(await readWhole(path, MOST_BYTES));
  } catch (error) {
    if (isLemurError(error, 'not-found')) return [];
    throw error;
  }
  const step = stepPacer();
  const tests: IgnoreTest[] = [];
  let lines: string[] = [];
  const close = (): void => {
    if (lines.length > 0) tests.push(ignoreTest(lines.join('\n')));
    lines = [];
  };
  for (let at = 0, number = 1; at < text.length; number++) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    if (end - at > MOST_CHARACTERS)
      throw unsupported(path, `line ${number}: ${end - at} characters, at most ${MOST_CHARACTERS}`);
    if (end > at && text[at] !== '#') lines.push(text.slice(at, end));
    if (lines.length >= PATTERNS_AT_ONCE) close();
    at = end + 1;
    const wait = step(lines.length === 0 ? 1 : 8);
    if (wait) await wait;
  }
  close();
  return tests;
}

/**
 * Patterns of the folders above a root, down from where its repository begins, the outermost first;
 * none where there is no repository. Those that leave out the root itself, which was named, do not
 * count, nor those of a file that `fail` is told of.
 */
export async function rulesAbove(
  root: string,
  fail: (path: string, error: unknown) => void,
): Promise<IgnoreRules[]> {
  if (await exists(join(root, '.git'))) return [];
  const above: string[] = [];
  for (let at = dirname(root), level = 0; level < MOST_LEVELS; level++, at = dirname(at)) {
    above.unshift(at);
    if (await exists(join(at, '.git'))) break;
    if (dirname(at) === at) return [];
  }
  const rules: IgnoreRules[] = [];
  for (const folder of above) {
    try {
      const tests = await readIgnoreFile(folder);
      const base = `${pathFrom(folder, root)}/`;
      if (tests.length > 0 && !(await leavesOut(tests, base))) rules.push({ base, tests });
    } catch (error) {
      fail(pathFrom(root, join(folder, IGNORE_FILE)), error);
    }
  }
  return rules;
}

function pathFrom(from: string, to: string): string {
  return relative(from, to).replaceAll('\\', '/');
}

/** Whether patterns leave out a folder, or one above it. */
async function leavesOut(tests: readonly IgnoreTest[], folder: string): Promise<boolean> {
  for (let end = folder.indexOf('/'); end >= 0; end = folder.indexOf('/', end + 1))
    if (await isIgnored(folder.slice(0, end + 1), [{ base: '', tests }], [])) return true;
  return false;
}

/**
 * Whether the patterns leave out a path, that of a folder with `/` at its end; the inner ones count
 * more. The folders above it are not left out. Gives way to other work.
 */
export async function isIgnored(
  path: string,
  above: readonly IgnoreRules[],
  within: readonly IgnoreRules[],
): Promise<boolean> {
  for (const { base, tests } of within.toReversed()) {
    const said = await saidOf(path.slice(base.length), tests);
    if (said !== undefined) return said;
  }
  for (const { base, tests } of above.toReversed()) {
    const said = await saidOf(base + path, tests);
    if (said !== undefined) return said;
  }
  return false;
}

/** What the last pattern says that fits; undefined: none does. */
async function saidOf(path: string, tests: readonly IgnoreTest[]): Promise<boolean | undefined> {
  for (let i = tests.length - 1; i >= 0; i--) {
    const { ignored, unignored } = tests[i](path);
    if (ignored || unignored) return ignored;
    const wait = tests.length > 1 && pace();
    if (wait) await wait;
  }
  return undefined;
}

const pace = pacer();

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
