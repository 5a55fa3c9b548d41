import { join } from 'node:path';
import type { PoolingEncoder } from '../encoder/node.js';
import { formatAnswer, openEngine } from './answer.js';
import { examples, positiveInteger, shared } from './arguments.js';
import { buildCollection } from './build-collection.js';
import { type Collection, openCollection, type Plan, type StoredTokens } from './collection.js';
import type { Context } from './context.js';
import { evaluate, TABLE } from './evaluate.js';
import { checkModel, findModel, MAX_TOKENS } from './model.js';
import type { StepTime } from './progress.js';
import { createReport, formatReport, formatStages } from './report.js';
import { createRunEncoder } from './run-encoder.js';
import { openRun } from './run-state.js';
import { readScifact, type ScifactTexts } from './scifact.js';
import { counted, duration, grouped } from './text-layout.js';
import { type Command, Option } from './vendor.js';

interface DemoOptions extends Context {
  /** How many documents; undefined: all. */
  documents: number | undefined;
  /** Where the collection goes; default: .lemur-demo/scifact-<documents>. */
  out: string | undefined;
  fresh: boolean;
  model: string | undefined;
  threads: number | undefined;
}

const RESULTS = 5;
const RERANKED = 200;
const FIRST_QUESTION = 'Does a high birth weight make breast cancer more likely?';
const QUESTIONS: readonly string[] = [
  'Do statins lower blood cholesterol?',
  'Is a lack of vitamin D linked to multiple sclerosis?',
  'Why do antibiotics make Clostridium difficile infections more likely?',
];

/** The command `demo`: encodes SciFact, fits, saves, evaluates, and answers questions. */
export function addDemo(program: Command, context: Context): void {
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
    .addOption(shared.model())
    .addOption(shared.threads())
    .addHelpText('after', examples('lemur demo', 'lemur demo --full', 'lemur demo --documents 200 --out /tmp/small'))
    .action(async (options: { documents: number; full?: true; out?: string; fresh?: true; model?: string; threads?: number }) => {
      const { documents, full, out, model, threads } = options;
      await demo({ ...context, documents: full ? undefined : documents, out, fresh: options.fresh ?? false, model, threads });
    });
}

async function demo(options: DemoOptions): Promise<void> {
  const { threads, signal, reporter, print } = options;
  const started = performance.now();
  const elapsed = (): string => duration((performance.now() - started) / 1000);
  const model = await findModel(options.model);
  await checkModel(model.folder, MAX_TOKENS);
  const texts = await readScifact(options.documents);
  const { documents } = texts;
  const folder = options.out ?? join('.lemur-demo', `scifact-${documents.length}`);
  const plan: Plan = { data: 'SciFact', documents: documents.length, model: model.reference, maxTokens: MAX_TOKENS };
  const run = await openRun(folder, plan, options.fresh);
  print(introduction(texts, folder, Object.keys(run.stages).length > 0));

  const encoder = createRunEncoder(folder, model.folder, threads);
  const onSearchable = async (tokens: StoredTokens): Promise<void> => {
    const [first] = await answers({ folder, documents, tokens }, await encoder.projected(), [FIRST_QUESTION], options);
    print(`\nThe first answer, ${elapsed()} after the start:\n\n${first}\n`);
  };
  try {
    await buildCollection(run, { plan, texts, vectors: encoder, compare: true, threads, signal, reporter, onSearchable });
    const collection = await openCollection(folder);
    const times: Record<string, StepTime> = { ...collection.info.stages };

    const evaluated = await reporter.step('evaluate', async (onProgress) =>
      evaluate(collection, undefined, { ...TABLE, threads, encoder: await encoder.projected(), signal, onProgress }),
    );
    times.evaluate = evaluated.time;
    print(`\n${formatReport(createReport(collection.info, evaluated.value, threads))}\n`);
    const answered = await reporter.step('answer three questions', async () =>
      answers(collection, await encoder.projected(), QUESTIONS, options),
    );
    times.questions = answered.time;
    print(`\n${answered.value.join('\n\n')}\n`);
    print(`Times: ${formatStages(times)}; this run ${elapsed()}.`);
    print(nextSteps(folder));
  } finally {
    await encoder.close();
  }
}

async function answers(
  collection: Pick<Collection, 'folder' | 'documents' | 'tokens'>,
  encoder: PoolingEncoder,
  questions: readonly string[],
  options: DemoOptions,
): Promise<string[]> {
  const engine = await openEngine(collection, encoder, { ...options, maxTokens: MAX_TOKENS, exact: false });
  try {
    const found: string[] = [];
    for (const question of questions) found.push(formatAnswer(await engine.ask(question, RESULTS, RERANKED)));
    return found;
  } finally {
    engine.close();
  }
}

function introduction({ documents, queries, relevant, judgedQueries }: ScifactTexts, out: string, goesOn: boolean): string {
  const rest = documents.length - relevant;
  const choice =
    rest === 0
      ? 'all judged relevant to a query'
      : `${grouped(relevant)} judged relevant to a query, then the first ${grouped(rest)} others`;
  return [
    `SciFact: ${counted(documents.length, 'abstract')} (${choice}), ${grouped(queries.length)} of ${judgedQueries} judged queries have all their documents among them.`,
    goesOn ? `Going on with what is in ${out}; --fresh starts over.` : `Everything goes to ${out}.`,
  ].join('\n');
}

function nextSteps(folder: string): string {
  return `Ask it yourself:\n  npx lemur search ${folder} "does exercise help against depression?"\n  npx lemur eval ${folder} --json`;
}
