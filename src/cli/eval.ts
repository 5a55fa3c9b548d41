import { join } from 'node:path';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { LemurError } from '../errors.js';
import { examples, path, positiveInteger, positiveIntegers, shared } from './arguments.js';
import { checkCandidates } from './check-candidates.js';
import type { Context } from './context.js';
import { evaluate, TABLE } from './evaluate.js';
import { readManifest, withIndex } from './open-index.js';
import { holdsTexts, noteMissing, openQueries } from './queries.js';
import { createReport, formatReport } from './report.js';
import type { Command } from './vendor.js';

/** Beside an index: queries and judgements that `eval` takes when it is told none. */
export const OWN = { queries: 'queries.jsonl', qrels: 'qrels.tsv' } as const;

interface EvalArguments {
  k: number;
  candidates?: number[];
  queries?: string;
  qrels?: string;
  split?: string;
  keepZeros?: true;
  json?: true;
  model?: string;
  threads?: number;
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
    .option(
      '--candidates <n...>',
      `documents that are reranked, each at least k (default: ${TABLE.candidates.join(' ')})`,
      positiveIntegers,
    )
    .option(
      '--queries <path>',
      'JSON lines ({"_id", "text"}), a BEIR folder (with its judgements) or token ' +
        `vectors (default: ${OWN.queries} in the index's folder)`,
      path,
    )
    .option(
      '--qrels <file>',
      `judgements: tab-separated query, document, grade (default: ${OWN.qrels} beside ` +
        `${OWN.queries})`,
      path,
    )
    .addOption(shared.split())
    .addOption(shared.keepZeros())
    .addOption(shared.json())
    .addOption(shared.movedModel())
    .addOption(shared.threads())
    .addHelpText(
      'after',
      examples(
        'lemur eval .lemur-demo/scifact-1000',
        'lemur eval notes.lemur --queries asked.jsonl --qrels judged.tsv --candidates ' +
          '20 400 --json',
        'lemur eval my-vectors --queries queries.npy --qrels qrels.tsv',
      ),
    );
  command.action(async (folder: string, options: EvalArguments) => {
    if (options.qrels !== undefined && options.queries === undefined)
      command.error("error: option '--qrels <file>' needs '--queries <path>'");
    await evaluateIndex(folder, options, context);
  });
}

async function evaluateIndex(
  folder: string,
  options: EvalArguments,
  context: Context,
): Promise<void> {
  const { k, candidates = TABLE.candidates, split, json, model, threads } = options;
  checkCandidates(candidates, k);
  const manifest = await readManifest(folder);
  const { queries: path, qrels } =
    options.queries === undefined
      ? await ownQueries(folder)
      : { ...options, queries: options.queries };
  await withIndex(folder, { texts: await holdsTexts(path, folder), model, threads }, async (it) => {
    const queries = await openQueries(
      path,
      it,
      { qrels, split, keepZeros: options.keepZeros },
      context,
    );
    const missing = await noteMissing(queries, it.index, qrels ?? path, context);
    const { signal, reporter, print, printJson } = context;
    const { value } = await reporter.step('evaluate', (onProgress) =>
      evaluate(it.index, manifest, queries, {
        k,
        candidates,
        encoder: it.encoder,
        signal,
        onProgress,
      }),
    );
    const report = createReport(it.index.stats(), value, threads);
    if (json) printJson({ ...report, missing }, 2);
    else print(`\n${formatReport(report)}`);
  });
}

async function ownQueries(folder: string): Promise<{ queries: string; qrels: string | undefined }> {
  const [queries, qrels] = [join(folder, OWN.queries), join(folder, OWN.qrels)];
  if ((await whatLiesAt(queries)) !== undefined)
    return { queries, qrels: (await whatLiesAt(qrels)) === undefined ? undefined : qrels };
  throw new LemurError(
    'invalid-argument',
    `${folder}: no queries came with it; name some with --queries`,
    { where: 'queries' },
  );
}
