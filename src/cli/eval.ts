import type { SearchMode } from '../collection/options/options.js';
import type { DeviceName } from '../device/default-device.js';
import { invalidArgument } from '../errors.js';
import { examples, path, positiveInteger, positiveIntegers, shared } from './arguments.js';
import { checkCandidates } from './check-candidates.js';
import type { Context } from './context.js';
import { evaluate, TABLE } from './evaluate.js';
import {
  checkQueryArguments,
  givenQueries,
  type QueryArguments,
  qrelsOption,
  queriesOption,
} from './given-queries.js';
import { readManifest, withIndex } from './open-index.js';
import { inOwnWords } from './own-words.js';
import { holdsTexts, noteMissing, openQueries, openQueryTexts } from './queries.js';
import { createReport, formatReport } from './report.js';
import type { Command } from './vendor.js';

interface EvalArguments extends QueryArguments {
  k: number;
  mode: SearchMode;
  candidates?: number[];
  keepZeros?: true;
  json?: true;
  model?: string;
  threads?: number;
  device?: DeviceName;
}

/** The command `eval`: the table of quality and speed. */
export function registerEval(program: Command, context: Context): void {
  const command = program
    .command('eval')
    .summary('measure quality and speed of an index on queries')
    .description(
      'Compares searches with exact MaxSim: recall of the exact top k, nDCG where ' +
        'there are judgements, time, bytes of the first pass.',
    )
    .argument('<index>', 'folder of the index', path)
    .option('-k <n>', 'results that count', positiveInteger, TABLE.k)
    .addOption(shared.mode())
    .option(
      '--candidates <n...>',
      `documents that are reranked, each at least k (default: ${TABLE.candidates.join(' ')})`,
      positiveIntegers,
    )
    .addOption(queriesOption())
    .addOption(qrelsOption())
    .addOption(shared.split())
    .addOption(shared.keepZeros())
    .addOption(shared.json())
    .addOption(shared.movedModel())
    .addOption(shared.threads())
    .addOption(shared.device())
    .addHelpText(
      'after',
      examples(
        'lemur eval .lemur-demo/scifact-1000',
        'lemur eval notes.lemur --queries asked.jsonl --qrels judged.tsv --candidates ' +
          '20 400 --json',
        'lemur eval notes.lemur --queries asked.jsonl --qrels judged.tsv --mode hybrid',
        'lemur eval my-vectors --queries queries.npy --qrels qrels.tsv',
      ),
    );
  command.action(async (folder: string, options: EvalArguments) => {
    checkQueryArguments(options, command);
    if (options.mode === 'keywords' && options.candidates !== undefined)
      command.error("error: option '--mode keywords' cannot be used with option '--candidates'");
    await evaluateIndex(folder, options, context);
  });
}

async function evaluateIndex(
  folder: string,
  options: EvalArguments,
  context: Context,
): Promise<void> {
  const { k, mode, candidates = TABLE.candidates, json, model, threads, device } = options;
  checkCandidates(candidates, k);
  const manifest = await readManifest(folder);
  const { queries: path, qrels } = await givenQueries(folder, options);
  const areTexts = await holdsTexts(path, folder, mode === 'keywords');
  if (mode !== 'meaning' && !areTexts) {
    const problem = `expected texts with --mode ${mode}, got token vectors`;
    throw invalidArgument(path, problem);
  }
  // keywords need no encoder
  const texts = areTexts && mode !== 'keywords';
  await withIndex(folder, { texts, model, threads, device }, async (it) => {
    const asked = { qrels, split: options.split, keepZeros: options.keepZeros };
    const queries =
      mode === 'meaning'
        ? await openQueries(path, it, asked, context)
        : await openQueryTexts(path, asked, context);
    const missing = await noteMissing(queries, it.index, qrels ?? path, context);
    const { signal, reporter, print, printJson } = context;
    const { encoder } = it;
    const { value } = await reporter.step('evaluate', (onProgress) =>
      evaluate(it.index, manifest, queries, {
        ...{ k, mode, candidates, encoder, signal, onProgress },
      }).catch(inOwnWords),
    );
    const report = createReport(it.index.stats(), value, threads);
    if (json) printJson({ ...report, missing }, 2);
    else print(`\n${formatReport(report)}`);
  });
}
