import type { Curve } from '../collection/files/manifest.js';
import type { DeviceName } from '../device/default-device.js';
import { isLemurError, unsupported } from '../errors.js';
import { examples, path, positiveInteger, share, shared } from './arguments.js';
import type { Context } from './context.js';
import { withIndex } from './open-index.js';
import { holdsTexts, openQueries } from './queries.js';
import { alignColumns, counted, grouped, inCommands } from './text-layout.js';
import type { Command } from './vendor.js';

interface TuneArguments {
  recall: number;
  k: number;
  queries?: string;
  sample: number;
  keepZeros?: true;
  json?: true;
  model?: string;
  threads?: number;
  device?: DeviceName;
}

/** The command `tune`: measures how many candidates find which share of the exact results. */
export function registerTune(program: Command, context: Context): void {
  const { signal, reporter, print, printJson } = context;
  program
    .command('tune')
    .summary('measure how many candidates a search needs')
    .description(
      'Measures on held-out queries how many candidates find which share of the exact ' +
        'top k. Searches that name no number go by it from then on.',
    )
    .argument('<index>', 'folder of the index', path)
    .option('--recall <share>', 'share of the exact top k that searches aim at', share, 0.95)
    .option('-k <n>', 'results that count', positiveInteger, 10)
    .option(
      '--queries <path>',
      'real queries: JSON lines ({"_id", "text"}), a BEIR folder or token vectors ' +
        '(default: drawn from the index)',
      path,
    )
    .option('--sample <n>', 'queries at most', positiveInteger, 200)
    .addOption(shared.keepZeros())
    .addOption(shared.json())
    .addOption(shared.movedModel())
    .addOption(shared.threads())
    .addOption(shared.device())
    .addHelpText(
      'after',
      examples(
        'lemur tune notes.lemur',
        'lemur tune notes.lemur --recall 0.99 --queries asked.jsonl',
      ),
    )
    .action(
      async (
        folder: string,
        { recall, k, queries, sample, keepZeros, json, model, threads, device }: TuneArguments,
      ) => {
        const texts = queries !== undefined && (await holdsTexts(queries, folder));
        await withIndex(folder, { write: true, texts, model, threads, device }, async (it) => {
          const given =
            queries === undefined
              ? undefined
              : (await openQueries(queries, it, { keepZeros }, context)).tokens;
          const { value } = await reporter.step('tune', (onProgress) =>
            it.index
              .tune({ recall, k, queries: given, sample, signal, onProgress })
              .catch(untunable(folder)),
          );
          if (json) printJson({ index: folder, ...value }, 2);
          else print(describeCurve(value));
        });
      },
    );
}

/** The library's words for it are those of its methods. */
function untunable(folder: string): (error: unknown) => never {
  return (error) => {
    if (!isLemurError(error, 'unsupported')) throw error;
    throw unsupported(folder, inCommands(error.message));
  };
}

function describeCurve({
  k,
  queries,
  source,
  target,
  points,
  numCandidates,
}: Curve & { numCandidates: number | null }): string {
  const rows = points.map(([n, recall, error]) => [
    grouped(n),
    recall.toFixed(3),
    error.toFixed(3),
  ]);
  const from = source === 'given' ? 'given' : 'drawn from the index';
  const taken =
    numCandidates === null
      ? 'all documents: no number of candidates that was measured reaches it'
      : counted(numCandidates, 'candidate');
  return [
    alignColumns([['candidates', `recall@${k}`, '+-'], ...rows]),
    '',
    `By ${counted(queries, 'query', 'queries')} ${from}. ` +
      `For a recall of ${target} searches now take ${taken}.`,
  ].join('\n');
}
