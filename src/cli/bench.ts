import { ADVISE_DEFAULTS, type AdviseOptions, advise } from '../advise/advise.js';
import { plotAdvice } from '../advise/plot-advice.js';
import type { DeviceName } from '../device/default-device.js';
import { invalidArgument } from '../errors.js';
import {
  examples,
  path,
  positiveInteger,
  positiveIntegers,
  seed,
  share,
  shared,
} from './arguments.js';
import { formatAdvice } from './bench-report.js';
import { checkCandidates } from './check-candidates.js';
import type { Context } from './context.js';
import {
  checkQueryArguments,
  givenQueries,
  type QueryArguments,
  qrelsOption,
  queriesOption,
} from './given-queries.js';
import { withIndex } from './open-index.js';
import { checkFileTarget, STDOUT, writeOutput } from './output.js';
import { holdsTexts, noteMissing, openQueries, openQueryTexts, type Queries } from './queries.js';
import { machineOf } from './report.js';
import type { Command } from './vendor.js';

interface BenchArguments extends QueryArguments {
  k: number;
  recall: number;
  candidates?: number[];
  sample: number;
  mostQueries: number;
  seed: number;
  plot?: string;
  force?: true;
  keepZeros?: true;
  json?: true;
  model?: string;
  threads?: number;
  device?: DeviceName;
}

/** The command `bench`: compares the ways to search an index, and says which to use. */
export function registerBench(program: Command, context: Context): void {
  const { candidates, sample, mostQueries } = ADVISE_DEFAULTS;
  const command = program
    .command('bench')
    .summary('compare the ways to search an index, and say which to use')
    .description(
      'Compares on your own documents and queries: exact MaxSim by each token encoding, first ' +
        'stages by trained and random features, by MUVERA and by one pooled vector, keywords ' +
        'and hybrid search. The index is not changed: what is learned for it is held in memory.',
    )
    .argument('<index>', 'folder of the index', path)
    .addOption(queriesOption())
    .addOption(qrelsOption())
    .addOption(shared.split())
    .option('-k <n>', 'results that count', positiveInteger, ADVISE_DEFAULTS.k)
    .option('--recall <share>', 'of the exact top k to find', share, ADVISE_DEFAULTS.recall)
    .option(
      '--candidates <n...>',
      `candidates to try, each at least k (default: ${candidates.join(' ')})`,
      positiveIntegers,
    )
    .option('--sample <n>', 'documents at most, chosen at random', positiveInteger, sample)
    .option('--most-queries <n>', 'queries at most, the same', positiveInteger, mostQueries)
    .option('--seed <n>', 'of all random draws', seed, ADVISE_DEFAULTS.seed)
    .option('--plot <file>', 'write an SVG plot: recall against milliseconds', path)
    .option('--force', 'replace that file')
    .addOption(shared.keepZeros())
    .addOption(shared.json())
    .addOption(shared.movedModel())
    .addOption(shared.threads())
    .addOption(shared.device())
    .addHelpText(
      'after',
      examples(
        'lemur bench .lemur-demo/scifact-1000',
        'lemur bench notes.lemur --queries asked.jsonl --qrels judged.tsv --plot notes.svg',
        'lemur bench my-vectors --queries queries.npy --recall 0.99 --json',
      ),
    );
  command.action(async (folder: string, options: BenchArguments) => {
    checkQueryArguments(options, command);
    if (options.force && options.plot === undefined)
      command.error("error: option '--force' needs '--plot <file>'");
    await bench(folder, options, context);
  });
}

async function bench(folder: string, options: BenchArguments, context: Context): Promise<void> {
  const { k, plot, json, model, threads, device } = options;
  if (options.candidates) checkCandidates(options.candidates, k);
  if (plot === STDOUT && json) throw invalidArgument('--plot', '-, and --json prints there too');
  if (plot !== undefined) await checkFileTarget(plot, options.force === true);
  const { queries: file, qrels } = await givenQueries(folder, options);
  const texts = await holdsTexts(file, folder);
  await withIndex(folder, { texts, model, threads, device }, async (it) => {
    const asked = { qrels, split: options.split, keepZeros: options.keepZeros };
    const queries = texts
      ? await openQueryTexts(file, asked, context)
      : await openQueries(file, it, asked, context);
    const missing = await noteMissing(queries, it.index, qrels ?? file, context);
    const { signal, reporter, print, printJson } = context;
    const { value } = await reporter.step('compare', (onProgress) =>
      advise(it.index, queries.texts ?? (queries as Queries).tokens, {
        ...chosenOf(options),
        judgements: queries.ids.map((id) => queries.qrels.get(id)),
        signal,
        onProgress,
      }),
    );
    const machine = machineOf(threads);
    if (plot !== undefined) {
      const svg = new TextEncoder().encode(plotAdvice(value));
      await writeOutput(plot, async (append) => append(svg));
    }
    if (json) printJson({ index: folder, machine, node: process.version, missing, ...value }, 2);
    else if (plot !== STDOUT) print(`\n${formatAdvice(value, machine)}`);
  });
}

function chosenOf(options: BenchArguments): AdviseOptions {
  const { k, recall, candidates, sample, mostQueries, seed } = options;
  return { k, recall, candidates, sample, mostQueries, seed };
}
