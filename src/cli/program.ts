import { readFileSync } from 'node:fs';
import { positiveInteger, positiveIntegers } from './arguments.js';
import { demo, TABLE } from './demo.js';
import { evaluateFolder } from './evaluate-folder.js';
import { createReporter } from './progress.js';
import { search } from './search.js';
import { Command, Option } from './vendor.js';

const THREADS = ['--threads <n>', 'threads to compute with (default: all that the machine has)'] as const;
const MODEL = '--model <folder>';

/** The commands and their options; `signal` stops whichever runs. */
export function createProgram(signal: AbortSignal): Command {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const reporter = createReporter(process.stderr);
  const program = new Command('lemur')
    .description('Late-interaction (ColBERT-style) search with a learned reduction to single vectors.')
    .version(version())
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText(
      'after',
      examples(
        'lemur demo',
        'lemur search .lemur-demo/scifact-1000 "do statins lower cholesterol?"',
        'lemur eval .lemur-demo/scifact-1000',
      ),
    );

  program
    .command('demo')
    .summary('encode, fit and evaluate SciFact, and answer three questions')
    .description(
      'Encodes abstracts of SciFact with a small model, fits the reduction, compares it with exact search on the judged queries, and answers three questions. A second run, or one after Ctrl-C, goes on with what is on disk.',
    )
    .addOption(
      new Option('--documents <n>', 'how many abstracts: the relevant ones first, then the first others')
        .argParser(positiveInteger)
        .default(1000),
    )
    .addOption(new Option('--full', 'all 5,183 abstracts').conflicts('documents'))
    .option('--out <folder>', 'where the collection goes (default: .lemur-demo/scifact-<n>)')
    .option('--fresh', 'start over, deleting what an earlier run left in the folder')
    .option(MODEL, 'an encoder of your own: a folder with config.json, tokenizer.json and *.safetensors of a BERT')
    .option(...THREADS, positiveInteger)
    .addHelpText('after', examples('lemur demo', 'lemur demo --full', 'lemur demo --documents 200 --out /tmp/small'))
    .action(async (options: { documents: number; full?: true; out?: string; fresh?: true; model?: string; threads?: number }) => {
      const { documents, full, out, model, threads } = options;
      await demo({ documents: full ? undefined : documents, out, fresh: options.fresh ?? false, model, threads, signal, reporter, print });
    });

  program
    .command('search')
    .summary('answer a question from a folder')
    .description('Answers a question from a folder that the demo has filled.')
    .argument('<folder>', 'a folder that `lemur demo` has filled')
    .argument('<question...>', 'the question, quoted or not')
    .option('-k <n>', 'results', positiveInteger, 10)
    .option('--candidates <n>', 'documents that are reranked by exact MaxSim, at least k', positiveInteger, 200)
    .option('--json', 'print JSON')
    .option(MODEL, "folder of the encoder's weights, where they are no longer in the place the collection was made with")
    .option(...THREADS, positiveInteger)
    .addHelpText(
      'after',
      examples(
        'lemur search .lemur-demo/scifact-1000 "do statins lower cholesterol?"',
        'lemur search .lemur-demo/scifact-1000 -k 3 --json vitamin D and pregnancy',
      ),
    )
    .action(
      async (
        folder: string,
        words: string[],
        options: { k: number; candidates: number; json?: true; model?: string; threads?: number },
      ) => {
        const { k, candidates, model, threads } = options;
        print(await search(folder, words.join(' '), { k, candidates, json: options.json ?? false, model, threads, signal }));
      },
    );

  program
    .command('eval')
    .summary('measure quality, speed and size on the judged queries of a folder')
    .description(
      'Compares exact MaxSim, the reduction, random features and a pooled vector on the judged queries of a folder that the demo has filled.',
    )
    .argument('<folder>', 'a folder that `lemur demo` has filled')
    .option('-k <n>', 'results that count', positiveInteger, TABLE.k)
    .option(
      '--candidates <n...>',
      `documents that are reranked, each at least k (default: ${TABLE.candidates.join(' ')})`,
      positiveIntegers,
    )
    .option('--json', 'print JSON')
    .option(MODEL, "folder of the encoder's weights, where they are no longer in the place the collection was made with")
    .option(...THREADS, positiveInteger)
    .addHelpText('after', examples('lemur eval .lemur-demo/scifact-1000', 'lemur eval .lemur-demo/scifact-1000 --candidates 20 400 --json'))
    .action(async (folder: string, options: { k: number; candidates?: number[]; json?: true; model?: string; threads?: number }) => {
      const { k, candidates = TABLE.candidates, model, threads } = options;
      print(await evaluateFolder(folder, { k, candidates, json: options.json ?? false, model, threads, signal, reporter }));
    });
  return program;
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
