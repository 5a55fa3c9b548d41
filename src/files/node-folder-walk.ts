import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { readHead } from '../bytes/node-file.js';
import { fileError } from '../bytes/node-file-error.js';
import { invalidArgument } from '../errors.js';
import {
  IGNORE_FILE,
  type IgnoreRules,
  isIgnored,
  readIgnoreFile,
  rulesAbove,
} from './node-git-ignore.js';
import { isGenerated } from './node-kinds.js';

/** Why something of a folder is left out. */
export type SkipReason =
  | 'hidden'
  | 'ignored'
  | 'link'
  | 'special'
  | 'generated'
  | 'index'
  | 'binary'
  | 'empty'
  | 'large'
  | 'unread';

/** What a walk meets. */
export interface WalkEvents {
  /** A file or folder that is left out. */
  skip(path: string, reason: SkipReason, error?: unknown): void;
  /** A folder below that could not be listed. */
  fail(path: string, error: unknown): void;
}

/** Names of an index's own manifest, and what it begins with. */
const MANIFEST = 'index.json';
const MARK = '"lemur-index"';

/** A folder that waits to be listed. */
interface Waiting {
  readonly path: string;
  readonly rules: readonly IgnoreRules[];
}

/**
 * Paths of the files of a folder and those below, relative, with `/`, a folder at a time, in an
 * order that no locale changes. Left out, and told of, are hidden files, what `.gitignore` names,
 * `node_modules`, links out of the folder and to folders, what is no regular file, what tools
 * write, and indexes. Rejects with 'not-found' and 'storage-failed' where the folder itself cannot
 * be listed, 'invalid-argument' where a file is in its place.
 */
export async function* walkFolder(
  root: string,
  events: WalkEvents,
): AsyncGenerator<string, void, undefined> {
  const fail = (path: string, error: unknown): void => events.skip(path, 'unread', error);
  const above = await rulesAbove(root, fail);
  const walk = new FolderWalk(root, await realpath(root).catch(() => root), above);
  const waiting: Waiting[] = [{ path: '', rules: [] }];
  for (let folder = waiting.pop(); folder; folder = waiting.pop()) {
    const entries = await walk.list(folder.path, events);
    if (!entries) continue;
    let rules = folder.rules;
    let wrong: unknown;
    try {
      rules = await walk.rulesOf(folder, entries);
    } catch (error) {
      wrong = error;
    }
    const below: Waiting[] = [];
    for (const entry of entries) {
      const path = folder.path + entry.name;
      const reason = await walk.reasonAgainst(entry, path, rules);
      if (wrong && entry.name === IGNORE_FILE) events.skip(path, 'unread', wrong);
      else if (reason) events.skip(path, reason);
      else if (entry.isDirectory()) below.push({ path: `${path}/`, rules });
      else yield path;
    }
    waiting.push(...below.reverse());
  }
}

class FolderWalk {
  readonly #root: string;
  /** Without links. */
  readonly #real: string;
  readonly #above: readonly IgnoreRules[];

  constructor(root: string, real: string, above: readonly IgnoreRules[]) {
    this.#root = root;
    this.#real = real;
    this.#above = above;
  }

  /** What is in a folder; undefined where that is not to be had, or an index. */
  async list(path: string, { fail, skip }: WalkEvents): Promise<Dirent[] | undefined> {
    const folder = join(this.#root, path);
    try {
      const entries = await readdir(folder, { withFileTypes: true });
      if (path !== '' && (await isIndex(folder, entries))) {
        skip(path, 'index');
        return undefined;
      }
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      // what has become a file is not gone: nothing may be concluded from it
      if (path === '' && (error as { code?: unknown }).code === 'ENOTDIR')
        throw invalidArgument(folder, 'no folder, or not in one: there is a file in its way');
      const told = fileError(folder, error, 'folder');
      if (path === '') throw told;
      fail(path, told);
      return undefined;
    }
  }

  /** Rejects with what is wrong with its file of patterns. */
  async rulesOf({ path, rules }: Waiting, entries: readonly Dirent[]): Promise<Waiting['rules']> {
    if (!entries.some(({ name }) => name === IGNORE_FILE)) return rules;
    const tests = await readIgnoreFile(join(this.#root, path));
    return tests.length > 0 ? [...rules, { base: path, tests }] : rules;
  }

  /** Why it is left out; undefined: it is not. */
  async reasonAgainst(
    entry: Dirent,
    path: string,
    rules: readonly IgnoreRules[],
  ): Promise<SkipReason | undefined> {
    if (entry.name.startsWith('.')) return 'hidden';
    if (entry.name === 'node_modules') return 'ignored';
    const isFolder = entry.isDirectory();
    if (await isIgnored(isFolder ? `${path}/` : path, this.#above, rules)) return 'ignored';
    if (isFolder) return undefined;
    if (entry.isSymbolicLink()) {
      if (!(await this.#leadsToOwnFile(path))) return 'link';
    } else if (!entry.isFile()) return 'special';
    return isGenerated(entry.name) ? 'generated' : undefined;
  }

  async #leadsToOwnFile(path: string): Promise<boolean> {
    try {
      const target = await realpath(join(this.#root, path));
      return target.startsWith(this.#real + sep) && (await stat(target)).isFile();
    } catch {
      return false; // a link to nothing, or to itself
    }
  }
}

async function isIndex(folder: string, entries: readonly Dirent[]): Promise<boolean> {
  if (!entries.some((entry) => entry.name === MANIFEST && entry.isFile())) return false;
  const { head } = await readHead(join(folder, MANIFEST), 64);
  return Buffer.from(head).includes(MARK);
}
