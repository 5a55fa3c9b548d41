import { join } from 'node:path';
import type { PoolingEncoder } from '../encoder/node.js';
import { formatAnswer, openEngine } from './answer.js';
import { buildCollection } from './build-collection.js';
import { type Collection, openCollection, openProjection, type Plan, type StoredTokens } from './collection.js';
import { evaluate } from './evaluate.js';
import { findModel, MAX_TOKENS, openEncoder } from './model.js';
import type { Reporter, StepTime } from './progress.js';
import { createReport, formatReport, formatStages } from './report.js';
import { openRun } from './run-state.js';
import { readScifact, type Texts } from './scifact.js';
import { counted, duration, grouped } from './text-layout.js';

export interface DemoOptions {
  /** How many documents; undefined: all. */
  documents: number | undefined;
  /** Where the collection goes; default: .lemur-demo/scifact-<documents>. */
  out: string | undefined;
  fresh: boolean;
  model: string | undefined;
  threads: number | undefined;
  signal: AbortSignal;
  reporter: Reporter;
  print: (text: string) => void;
}

/** What the table has. */
export const TABLE: { readonly k: number; readonly candidates: readonly number[] } = { k: 10, candidates: [50, 100, 200] };
const RESULTS = 5;
const RERANKED = 200;
const FIRST_QUESTION = 'Does a high birth weight make breast cancer more likely?';
const QUESTIONS: readonly string[] = [
  'Do statins lower blood cholesterol?',
  'Is a lack of vitamin D linked to multiple sclerosis?',
  'Why do antibiotics make Clostridium difficile infections more likely?',
];

/** `lemur demo`: encodes SciFact, fits, saves, evaluates, and answers questions. */
export async function demo(options: DemoOptions): Promise<void> {
  const { threads, signal, reporter, print } = options;
  const started = performance.now();
  const elapsed = (): string => duration((performance.now() - started) / 1000);
  const model = await findModel(options.model);
  const texts = await readScifact(options.documents);
  const { documents } = texts;
  const folder = options.out ?? join('.lemur-demo', `scifact-${documents.length}`);
  const plan: Plan = { data: 'SciFact', documents: documents.length, model: model.reference, maxTokens: MAX_TOKENS };
  const run = await openRun(folder, plan, options.fresh);
  print(introduction(texts, folder, Object.keys(run.stages).length > 0));

  let encoder: Promise<PoolingEncoder> | undefined;
  const projectedEncoder = async (): Promise<PoolingEncoder> => {
    const projection = await openProjection(folder);
    encoder ??= openEncoder(model.folder, projection, threads);
    return encoder;
  };
  const openPlainEncoder = (): Promise<PoolingEncoder> => openEncoder(model.folder, undefined, threads);
  const onSearchable = async (tokens: StoredTokens): Promise<void> => {
    const [first] = await answers({ folder, documents, tokens }, await projectedEncoder(), [FIRST_QUESTION], options);
    print(`\nThe first answer, ${elapsed()} after the start:\n\n${first}\n`);
  };
  try {
    await buildCollection(run, { plan, texts, threads, signal, reporter, onSearchable, openPlainEncoder, projectedEncoder });
    const collection = await openCollection(folder);
    const times: Record<string, StepTime> = { ...collection.info.stages };

    const evaluated = await reporter.step('evaluate', async (onProgress) =>
      evaluate(collection, { ...TABLE, threads, encoder: await projectedEncoder(), signal, onProgress }),
    );
    times.evaluate = evaluated.time;
    print(`\n${formatReport(createReport(collection.info, evaluated.value, threads))}\n`);
    const answered = await reporter.step('answer three questions', async () =>
      answers(collection, await projectedEncoder(), QUESTIONS, options),
    );
    times.questions = answered.time;
    print(`\n${answered.value.join('\n\n')}\n`);
    print(`Times: ${formatStages(times)}; this run ${elapsed()}.`);
    print(nextSteps(folder));
  } finally {
    await (await encoder?.catch(() => undefined))?.close();
  }
}

async function answers(
  collection: Pick<Collection, 'folder' | 'documents' | 'tokens'>,
  encoder: PoolingEncoder,
  questions: readonly string[],
  options: DemoOptions,
): Promise<string[]> {
  const engine = await openEngine(collection, encoder, options);
  try {
    const found: string[] = [];
    for (const question of questions) found.push(formatAnswer(await engine.answer(question, RESULTS, RERANKED)));
    return found;
  } finally {
    engine.close();
  }
}

function introduction({ documents, queries, relevant, judgedQueries }: Texts, out: string, goesOn: boolean): string {
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
