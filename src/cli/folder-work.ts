import { join, resolve } from 'node:path';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { userCache } from '../bytes/node-user-cache.js';
import { collectionOf, Index } from '../collection/index.js';
import type { Plan } from '../collection/mirror/change.js';
import { PlanOutdated } from '../collection/mirror/register-root.js';
import { carryOut as carryOutPlan, planFor } from '../collection/mirror.js';
import type { Mirrored } from '../collection/options/results.js';
import { isLemurError, LemurError } from '../errors.js';
import { FailedFiles } from '../files/node-failed-files.js';
import type { FolderFiles, SkippedFile } from '../files/node-folder-file.js';
import { folderFiles, readFolder, someFiles } from '../files/node-read-folder.js';
import type { RunOptions } from '../run-options.js';
import { memoryStorage } from '../storage/memory.js';
import { delayed } from './add-documents.js';
import type { Context } from './context.js';
import { type CreationArguments, checkSame, openForSource } from './create-index.js';
import { narrowWhenDue } from './narrow.js';
import { folderOfFile, placesAround } from './one-file.js';
import { hasIndex, type OpenedIndex, openIndex } from './open-index.js';
import { SkippedFiles } from './skipped-files.js';
import { counted, inCommands } from './text-layout.js';

/** How a folder is brought into an index. */
export interface FolderArguments extends CreationArguments {
  delete?: true;
  force?: true;
  dryRun?: true;
  replace?: true;
}

/** A folder, or some files of one, on the way into an index. */
export interface FolderWork {
  readonly index: string;
  /** The folder, or what the files are called together. */
  readonly folder: string;
  /** Whether these are some files alone. */
  readonly areSome: boolean;
  readonly files: FolderFiles;
  readonly left: SkippedFiles;
  readonly options: FolderArguments;
  readonly context: Context;
}

/** Whether there is a file in a folder that can be read. */
export async function hasFiles(folder: string): Promise<boolean> {
  for await (const { keep } of readFolder(folder).list()) if (!keep) return true;
  return false;
}

/** Of a folder, or of files that `folderOfFile` has in one. */
export async function folderWork(
  index: string,
  paths: readonly string[],
  options: FolderArguments,
  context: Context,
): Promise<FolderWork> {
  const left = new SkippedFiles(context.reporter);
  const areSome = (await whatLiesAt(paths[0])) === 'file';
  // what could not be read before is not read again, unless that is asked for
  const failed = new FailedFiles(join(userCache(), 'unread'), areSome || options.force === true);
  const onSkipped = (skipped: SkippedFile): void => left.add(skipped);
  const folder = paths.length === 1 ? paths[0] : counted(paths.length, 'file');
  const common = { index, folder, areSome, left, options, context };
  if (!areSome) return { ...common, files: folderFiles(folder, onSkipped, failed) };
  const around = await placesAround(index);
  const own = await Promise.all(paths.map((path) => folderOfFile(path, around)));
  const names = own.map(({ name }) => name);
  return { ...common, files: someFiles(own[0].folder, names, onSkipped, failed) };
}

/** What is to be done to an index, of which nothing is loaded; it may be one that is not there. */
export async function planFolder(work: FolderWork): Promise<Plan> {
  const isThere = await hasIndex(work.index);
  if (isThere) await checkSame(work.index, work.options);
  const reader = isThere
    ? await Index.open(work.index, { encoder: false, threads: 1 })
    : await Index.create({ ...memoryStorage(), path: resolve(work.index) }, { dim: 1, threads: 1 });
  try {
    return await planFrom(work, reader);
  } finally {
    await reader.close();
  }
}

/** What is to be done to an index that is open. Says of files what is wrong with them. */
export async function planFrom(work: FolderWork, index: Index): Promise<Plan> {
  const { files, left, options, context } = work;
  const { signal, reporter } = context;
  const { delete: deletes = false, force = false, replace = false } = options;
  const plan = (onProgress: RunOptions['onProgress']): Promise<Plan> =>
    planFor(collectionOf(index), files, { delete: deletes, force, signal, onProgress }, replace);
  try {
    const { value } = await reporter.step('look at the files', plan, true);
    left.tell();
    return value;
  } catch (error) {
    // of what is all there is, that is what is wrong
    const { only } = left;
    if (only && isLemurError(error, 'empty-corpus')) throw only;
    if (work.areSome && isLemurError(error, 'empty-corpus')) throw withoutText(work.folder);
    left.tell();
    // the library's words for it are those of its methods
    if (isLemurError(error) && error.message.includes('{ force: true }'))
      throw new LemurError(error.code, inCommands(error.message), error.fields as never);
    throw error;
  }
}

function withoutText(path: string): LemurError {
  return new LemurError('empty-corpus', `${path}: there is no text in it`, { where: path });
}

/** Whether files would take the place of documents of their names that are of no folder. */
export function takesPlace({ areSome }: FolderWork, { root, changes }: Plan): boolean {
  return areSome && root.isNew && changes.some(({ kind }) => kind === 'updated');
}

export function isDone({ changes, gone }: Plan): boolean {
  return changes.length + gone.length === 0;
}

/** Whether a plan has texts that are encoded: others are renamed, touched or gone. */
export function encodes({ changes }: Plan): boolean {
  return changes.some(({ from }) => from === undefined);
}

/**
 * The index, open for changes, with its encoder where texts are to be encoded; it is made where
 * there is none.
 */
export async function openForFolder(work: FolderWork, texts: boolean): Promise<OpenedIndex> {
  const { index, folder, options, context } = work;
  const { model, threads, device } = options;
  const open = { write: true, texts, model, threads, device };
  if (await hasIndex(index)) return openIndex(index, open);
  const documents = (async function* () {})();
  const source = { kind: 'texts', label: folder, areFiles: true, total: 0, documents } as const;
  return (await openForSource(index, source, options, context)).opened;
}

/**
 * Does what a plan says, with a bar, a second's work at a time: what the signal interrupts is
 * finished where that takes no more than two seconds. Rejects with the signal's reason then.
 */
export async function carryOut(
  work: FolderWork,
  opened: OpenedIndex,
  plan: Plan,
): Promise<Mirrored> {
  for (let own = plan; ; own = await planFrom(work, opened.index)) {
    try {
      return await carryOutOnce(work, opened, own);
    } catch (error) {
      // another run was first
      if (!(error instanceof PlanOutdated)) throw error;
    }
  }
}

async function carryOutOnce(
  { files, context, options }: FolderWork,
  opened: OpenedIndex,
  plan: Plan,
): Promise<Mirrored> {
  const { signal, reporter } = context;
  const { value } = await reporter.step('add documents', async (onProgress) => {
    const patient = delayed(signal);
    try {
      let wide = await narrowWhenDue(opened, { signal, onProgress });
      const between = async (): Promise<void> => {
        signal.throwIfAborted();
        if (wide) wide = await narrowWhenDue(opened, { signal, onProgress });
      };
      return await carryOutPlan(collectionOf(opened.index), files, plan, {
        signal: patient.signal,
        onProgress,
        between,
        delete: options.delete === true,
        force: options.force === true,
      });
    } finally {
      patient.end();
    }
  });
  return value;
}
