import { whatLiesAt } from '../bytes/node-path-content.js';
import { planned } from '../collection/mirror.js';
import type { Mirrored } from '../collection/options/results.js';
import { isLemurError } from '../errors.js';
import { contentsOf } from './contents.js';
import type { Context } from './context.js';
import { describeMirrored, planLines } from './describe-mirrored.js';
import {
  carryOut,
  encodes,
  type FolderArguments,
  type FolderWork,
  folderWork,
  hasFiles,
  isDone,
  openForFolder,
  planFolder,
  planFrom,
  takesPlace,
} from './folder-work.js';
import { nextSearch } from './next-search.js';
import type { OpenedIndex } from './open-index.js';
import { pathKind } from './path-kind.js';
import { shown } from './print.js';
import { STDIN } from './source.js';
import { counted } from './text-layout.js';
import { watchFolder } from './watch-folder.js';

/** Options of `add` for a folder that is kept in step. */
export interface AddFolderArguments extends FolderArguments {
  watch?: true;
  json?: true;
  /** Whether more is added afterwards. */
  goesOn?: boolean;
}

/**
 * Whether a path is a folder of files that can be read, and of no other kind; with `force` it may
 * be empty, or gone.
 */
export async function isFolderOfFiles(path: string, force: boolean): Promise<boolean> {
  if (path === STDIN) return false;
  const there = await whatLiesAt(path);
  if (there !== 'folder') return force && there === undefined;
  const kind = await pathKind(path);
  return kind === 'folder of texts' || (kind === 'unknown' && (force || (await hasFiles(path))));
}

/**
 * Brings an index, which is made where there is none, in step with a folder, once or as long as it
 * is watched, or with files of one, and says what was done. Nothing is loaded where nothing is to
 * be done. false: a file has the name of a document of no folder, which is not to be replaced.
 */
export async function addFolder(
  index: string,
  paths: readonly string[],
  options: AddFolderArguments,
  context: Context,
): Promise<boolean> {
  const work = await folderWork(index, paths, options, context);
  const plan = await planFolder(work);
  if (takesPlace(work, plan) && !options.replace) return false;
  if (options.dryRun && !options.json) for (const line of planLines(plan)) context.print(line);
  if (options.dryRun || (isDone(plan) && !options.watch)) {
    tell(work, options, planned(plan), undefined);
    return true;
  }
  let opened = await openForFolder(work, encodes(plan) || options.watch === true);
  try {
    const isWithout = opened.encoder === undefined;
    const done = isDone(plan)
      ? planned(plan)
      : await carryOut(work, opened, plan).catch(async (error: unknown) => {
          // a file has changed since it was looked at
          if (!isWithout || !isLemurError(error, 'invalid-argument')) throw error;
          await opened.close();
          opened = await openForFolder(work, true);
          return carryOut(work, opened, await planFrom(work, opened.index));
        });
    tell(work, options, done, opened);
    if (options.watch) await follow(work, options, opened);
    return true;
  } catch (error) {
    if (context.signal.aborted) {
      const there = `${shown(index)}: ${contentsOf(opened.index)}`;
      context.reporter.note(`${there}; the same command goes on from there`);
    }
    throw error;
  } finally {
    work.left.tell();
    await opened.close();
  }
}

/** Until Ctrl-C, which is the end that is meant. */
async function follow(
  work: FolderWork,
  options: AddFolderArguments,
  opened: OpenedIndex,
): Promise<void> {
  const { index, folder, context } = work;
  const { signal, reporter } = context;
  reporter.note(`watching ${shown(folder)}; Ctrl-C ends`);
  const bringInStep = async (): Promise<void> => {
    try {
      const plan = await planFrom(work, opened.index);
      if (!isDone(plan)) tell(work, options, await carryOut(work, opened, plan), opened);
    } catch (error) {
      if (signal.aborted) return;
      // it may be back soon
      const passes = ['not-found', 'empty-corpus', 'invalid-argument'] as const;
      if (!passes.some((code) => isLemurError(error, code))) throw error;
      reporter.note(shown((error as Error).message));
    }
  };
  await watchFolder(folder, index, signal, bringInStep);
}

function tell(
  { index, files, context }: FolderWork,
  options: AddFolderArguments,
  done: Mirrored,
  opened: OpenedIndex | undefined,
): void {
  if (options.json) {
    const documents = opened && { documents: opened.index.stats().sources };
    context.printJson({ index, ...done, reasons: files.reasons, ...documents });
    return;
  }
  const described = describeMirrored(done, files.reasons, options.delete === true);
  const exact =
    done.unfit === undefined
      ? ''
      : `\nno features were learned, searches stay exact: ${done.unfit}`;
  const cut = done.truncated
    ? `\n${counted(done.truncated, 'text')} longer than the encoder reads: what is behind ` +
      'that is not searched (--max-tokens)'
    : '';
  const there = opened ? `; ${contentsOf(opened.index)}` : '';
  context.print(`${shown(index)}: ${described}${there}${cut}${exact}`);
  if (opened && !options.watch && !options.goesOn) context.print(`Next:\n  ${nextSearch(opened)}`);
}
