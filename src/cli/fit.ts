import type { FitIndexOptions } from '../collection/options/options.js';
import type { IndexStats } from '../collection/query/stats.js';
import { invalidArgument } from '../errors.js';
import type { LearnOptions } from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import { addSource, addSourceOptions, describeAdded, SOURCE, type SourceArguments } from './add.js';
import { examples, path, shared } from './arguments.js';
import type { Context } from './context.js';
import { addLearnOptions, type LearnArguments, learnOptionsOf } from './learn-options.js';
import { nextSearch } from './next-search.js';
import { type OpenedIndex, openIndex, readManifest } from './open-index.js';
import { pathKind } from './path-kind.js';
import { shown } from './print.js';
import { holdsTexts, openQueries } from './queries.js';
import { STDIN } from './source.js';
import { counted, inCommands } from './text-layout.js';
import type { Command } from './vendor.js';

interface FitArguments extends Omit<LearnArguments, 'precision'>, SourceArguments {
  out?: string;
  learn?: string;
  json?: true;
}

/** The command `fit`: learns the documents of an index, or adds a source and learns it. */
export function registerFit(program: Command, context: Context): void {
  const command = program
    .command('fit')
    .summary('learn the documents of an index, so that searches need not score them all')
    .description(
      'Learns the documents of an index anew, in place; searches go on meanwhile. With ' +
        '--out the first argument is a source as of `lemur add`: it is added, then ' +
        'learned. Below 4,096 documents exact search is quick, and an index without ' +
        'features stays with it unless it was made with --features trained or random.',
    )
    .argument('<index>', `folder of an index; with --out a source (${SOURCE})`, path)
    .option('--out <index>', 'index that the source goes to; made where there is none', path)
    .option(
      '--learn <path>',
      'real queries to learn from, texts or token vectors (default: the token vectors of ' +
        'the documents; with --out and texts, pieces of these, read as queries)',
      path,
    );
  addSourceOptions(addLearnOptions(command))
    .addOption(shared.json())
    .addOption(shared.threads())
    .addOption(shared.device())
    .addHelpText(
      'after',
      examples(
        'lemur fit notes.lemur',
        'lemur fit notes/ --out notes.lemur',
        'lemur fit corpus.jsonl --out corpus.lemur --features trained --final-hidden-dim 2048',
        'lemur fit vectors.lemur --learn queries.npy --epochs 20',
      ),
    )
    .action((path: string, options: FitArguments) => fitPath(path, options, context));
}

async function fitPath(path: string, options: FitArguments, context: Context): Promise<void> {
  const { out, learn, json, threads, device, model } = options;
  const chosen = learnOptionsOf(options) ?? {};
  resolveLearnOptions(chosen);
  const { features = options.randomFeatures ? 'random' : undefined } = options;
  if (out === undefined) await checkIndex(path);
  const before =
    out === undefined
      ? undefined
      : await addSource(out, path, { ...options, features }, false, context);
  const it =
    before?.opened ??
    (await openIndex(path, {
      write: true,
      texts: learn !== undefined && (await holdsTexts(learn, path)),
      model,
      threads,
      device,
    }));
  try {
    const changed =
      !before || before.added.added + before.added.replaced > 0 || learn !== undefined;
    const stats =
      changed || !(await isFitted(it, chosen))
        ? await fitOpened(it, chosen, options, context)
        : it.index.stats();
    if (json) context.printJson({ index: it.folder, ...before?.added, stats }, 2);
    else {
      const added = before ? `${describeAdded(it.folder, before.added, it.index)}\n` : '';
      context.print(
        `${added}${shown(it.folder)}: ${describeFeatures(stats)}\nNext:\n  ${nextSearch(it)}`,
      );
    }
  } finally {
    await it.close();
  }
}

async function fitOpened(
  it: OpenedIndex,
  chosen: LearnOptions,
  { learn, keepZeros }: Pick<FitArguments, 'learn' | 'keepZeros'>,
  context: Context,
): Promise<IndexStats> {
  const { signal, reporter } = context;
  // vectors, where the index was opened for vectors
  const options: FitIndexOptions =
    learn === undefined
      ? chosen
      : { ...chosen, learn: (await openQueries(learn, it, { keepZeros }, context)).tokens };
  const { value } = await reporter.step('fit', (onProgress) =>
    it.index.fit({ ...options, signal, onProgress }),
  );
  return value;
}

/** Whether all documents have been learned with what is asked for. */
async function isFitted({ folder, index }: OpenedIndex, chosen: LearnOptions): Promise<boolean> {
  const { model } = await readManifest(folder);
  const given = Object.entries({ epochs: undefined, ...chosen });
  return (
    model !== null &&
    model.documents === index.size &&
    given.every(([name, value]) =>
      value === undefined ? true : model.options[name as keyof LearnOptions] === value,
    )
  );
}

async function checkIndex(path: string): Promise<void> {
  const kind = path === STDIN ? 'standard input' : await pathKind(path);
  if (kind === 'index') return;
  const got = path === STDIN ? kind : `holds: ${kind}`;
  const expected = 'expected an index, or --out to name the one that this goes to';
  throw invalidArgument(path, `${got}; ${expected}`);
}

/** How candidates are found, and why. */
export function describeFeatures({
  features,
  fittedDocuments,
  documents,
  refit,
  curve,
  passages,
}: IndexStats): string {
  if (features === 'exact') {
    const advice = refit.due
      ? ''
      : '; an index made with --features trained or random learns sooner';
    return `nothing to learn: ${inCommands(refit.why)}${advice}`;
  }
  const tuned = curve ? '' : '; lemur tune measures how many candidates a search needs';
  const many = counted(fittedDocuments ?? documents, passages ? 'passage' : 'document');
  return `${features} features of ${many}${tuned}`;
}
