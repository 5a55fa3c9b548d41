import { resolve } from 'node:path';
import { whatLiesAt } from '../bytes/node-path-content.js';
import type { Index } from '../collection/index.js';
import type { AddOptions } from '../collection/options/options.js';
import type { Added } from '../collection/options/results.js';
import { invalidArgument, LemurError } from '../errors.js';
import { addDocuments } from './add-documents.js';
import { type AddFolderArguments, addFolder, isFolderOfFiles } from './add-folder.js';
import { examples, path, shared } from './arguments.js';
import { contentsOf } from './contents.js';
import type { Context } from './context.js';
import { addCreationOptions, type CreationArguments, openForSource } from './create-index.js';
import { groupSources, namedPaths } from './named-sources.js';
import { nextSearch } from './next-search.js';
import type { OpenedIndex } from './open-index.js';
import { pathKind } from './path-kind.js';
import { shown } from './print.js';
import { openSource, STDIN } from './source.js';
import { refuseSwappedSource } from './swapped.js';
import { counted, grouped } from './text-layout.js';
import { isOneFile } from './text-source.js';
import { type Command, Option } from './vendor.js';

export interface SourceArguments extends CreationArguments, AddFolderArguments {
  onExisting?: AddOptions['onExisting'];
  skipEmpty?: true;
  keepZeros?: true;
}

const OTHERS =
  'a file of JSON lines ({"_id", "title", "text", "metadata"}), a BEIR folder; token vectors: a ' +
  'folder with tokens.npy and counts.npy, .npy (texts x tokens x dim), safetensors (tokens, ' +
  'counts); - for either on standard input';
/** The kinds of sources, for help pages. */
export const SOURCE: string =
  'texts: a folder of *.txt and *.md (and those below it), or one such file, ' + OTHERS;
const FILES =
  'texts: a folder of files (Markdown, texts, source code, HTML, CSV, .pdf and .docx, and those ' +
  `below it), one such file, ${OTHERS}`;

/** The command `add`: puts documents into an index, and makes it where there is none. */
export function registerAdd(program: Command, context: Context): void {
  const command = program
    .command('add')
    .summary('add texts or token vectors to an index; makes it where there is none')
    .description(
      'Adds documents to an index, which is made where there is none. What has been ' +
        'committed survives Ctrl-C and crashes; the same command goes on from there, ' +
        'since documents that are there already are skipped. Of a folder what is new or has ' +
        'changed is added.',
    )
    .argument('<index>', 'folder of the index', path)
    .argument('<source...>', FILES);
  addFolderOptions(addSourceOptions(command))
    .addOption(shared.json())
    .addOption(shared.threads())
    .addOption(shared.device())
    .addHelpText(
      'after',
      examples(
        'lemur add notes.lemur notes/',
        'lemur add notes.lemur notes/ --delete --dry-run',
        'lemur add notes.lemur notes/ --delete --watch',
        "lemur add notes.lemur todo.md 'projects/**/*.md'",
        'lemur add pages.lemur vectors.safetensors --precision float32',
        "jq -c '{id: .url, text: .body, metadata: {year}}' pages.json | lemur add pages.lemur -",
      ),
    )
    .action(async (folder: string, sources: string[], options: SourceArguments) => {
      const paths = await namedPaths(sources);
      for (const path of paths) await refuseSwappedSource(folder, path, command);
      const isKept = (path: string): Promise<boolean> =>
        isKeptInStep(folder, path, options, command);
      const groups = await groupSources(folder, paths, isKept);
      if (groups.length > 1 && options.watch)
        throw invalidArgument('--watch', `follows one folder, got ${groups.length} sources`);
      for (const [i, group] of groups.entries()) {
        const own = { ...options, goesOn: i < groups.length - 1 };
        if (group.isKept && (await addFolder(folder, group.paths, own, context))) continue;
        for (const path of group.paths) await addOther(folder, path, own, context);
      }
    });
}

/** Adds what is not kept in step, and says so. */
async function addOther(
  folder: string,
  path: string,
  options: SourceArguments,
  context: Context,
): Promise<void> {
  const { opened, added } = await addSource(folder, path, options, true, context);
  try {
    const { index } = opened;
    const documents = index.stats().sources;
    if (options.json) context.printJson({ index: folder, ...added, documents });
    else context.print(describeAdded(folder, added, index));
    if (!options.json && !options.goesOn) context.print(`Next:\n  ${nextSearch(opened)}`);
  } finally {
    await opened.close();
  }
}

const FOLDER = 'Of a folder of files:';

function addFolderOptions(command: Command): Command {
  for (const [flag, text] of [
    ['--delete', 'delete documents of files that are gone, of this folder alone'],
    ['--force', 'go on where more than half of the files are gone, or all'],
    ['--dry-run', 'list what would be done, and write nothing'],
    ['--watch', 'follow the folder until Ctrl-C'],
  ])
    command.addOption(new Option(flag, text).helpGroup(FOLDER));
  return command;
}

/**
 * Whether it is a folder that the index is brought in step with, or a file of one, and not one
 * whose documents are added under the rule that was given for ids that are there. Raises
 * 'invalid-argument' where an option speaks of a folder and there is none.
 */
async function isKeptInStep(
  index: string,
  path: string,
  options: SourceArguments,
  command: Command,
): Promise<boolean> {
  const isRuled = command.getOptionValueSource('onExisting') === 'cli';
  const isIt = (): Promise<boolean> => isFolderOfFiles(path, options.force === true);
  if (!isRuled && resolve(path) !== resolve(index) && (await isIt())) return true;
  const given = (['delete', 'force', 'dryRun', 'watch'] as const).find((name) => options[name]);
  const mayBeOne = given === undefined && !isRuled && path !== STDIN;
  if (mayBeOne && (await whatLiesAt(path)) === 'file') return isOneFile(path, await pathKind(path));
  if (given === undefined || (!isRuled && !(await whatLiesAt(path)))) return false;
  const flag = `--${given === 'dryRun' ? 'dry-run' : given}`;
  const isFolder = (await whatLiesAt(path)) === 'folder';
  const problem = isRuled
    ? 'cannot be used with --on-existing'
    : `${path} is no folder${isFolder ? ' that has files (--force goes on all the same)' : ''}`;
  throw invalidArgument(flag, problem);
}

/** The options of whatever adds a source. */
export function addSourceOptions(command: Command): Command {
  command
    .addOption(
      new Option('--on-existing <what>', 'what happens to a document whose id is there already')
        .choices(['error', 'skip', 'replace'])
        .default('skip'),
    )
    .addOption(
      new Option('--replace', 'the same as --on-existing replace').implies({
        onExisting: 'replace',
      }),
    )
    .addOption(shared.skipEmpty())
    .addOption(shared.keepZeros());
  return addCreationOptions(command);
}

/** Opens or makes the index and adds the source. The caller closes what is returned. */
export async function addSource(
  folder: string,
  path: string,
  options: SourceArguments,
  fit: boolean,
  context: Context,
): Promise<{ opened: OpenedIndex; added: Added }> {
  if (path !== STDIN && resolve(path) === resolve(folder)) {
    const problem = `${folder}: the source itself; name another folder for the index`;
    throw new LemurError('invalid-argument', problem, { where: folder });
  }
  const found = await openSource(path, {
    ...context,
    skipEmpty: options.skipEmpty,
    keepZeros: options.keepZeros,
  });
  const { opened, source } = await openForSource(folder, found, options, context);
  try {
    return {
      opened,
      added: await addDocuments(
        opened,
        source,
        { onExisting: options.onExisting ?? 'skip', fit },
        context,
      ),
    };
  } catch (error) {
    const there = contentsOf(opened.index);
    await opened.close();
    if (context.signal.aborted)
      context.reporter.note(`${shown(folder)}: ${there}; the same command goes on from there`);
    throw error;
  }
}

export function describeAdded(
  folder: string,
  { added, replaced, skipped, passages, truncated, unfit }: Added,
  index: Index,
): string {
  const parts = [`${grouped(added)} added`];
  if (replaced > 0) parts.push(`${grouped(replaced)} replaced`);
  if (skipped > 0)
    parts.push(
      `${grouped(skipped)} skipped, which are there already (--replace puts them in anew)`,
    );
  const cut = truncated
    ? `\n${counted(truncated, 'text')} longer than the encoder reads: what is behind ` +
      'that is not searched (--max-tokens)'
    : '';
  const exact =
    unfit === undefined ? '' : `\nno features were learned, searches stay exact: ${unfit}`;
  if (passages) parts.push(`as ${counted(passages, 'passage')}`);
  const line = `${shown(folder)}: ${parts.join(', ')}; ${contentsOf(index)}`;
  return `${line}${cut}${exact}`;
}
