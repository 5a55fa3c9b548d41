import type { PoolingEncoder } from '../encoder/node.js';
import { LemurError } from '../errors.js';
import { parseBeirQueries, parseQrels, type Qrels } from '../formats/beir.js';
import { fileBytes } from '../formats/node-beir.js';
import { examples, positiveInteger, positiveIntegers, shared } from './arguments.js';
import { type Collection, openCollection, type StoredQueries } from './collection.js';
import { openCollectionEncoder, optionalEncoder } from './collection-encoder.js';
import { type Context, interruptible } from './context.js';
import { checkCandidates, evaluate, TABLE } from './evaluate.js';
import { hasVectors, pathKind } from './path-kind.js';
import { createReport, formatReport, formatStages } from './report.js';
import { checkDim, openVectors } from './source.js';
import type { Command } from './vendor.js';

interface EvalOptions {
  k: number;
  candidates?: number[];
  scan: 'prefix' | 'full';
  queries?: string;
  qrels?: string;
  json?: true;
  model?: string;
  threads?: number;
}

/** The command `eval`: the table of quality, speed and size, from what is on disk. */
export function addEval(program: Command, context: Context): void {
  const command = program
    .command('eval')
    .summary('measure quality, speed and size on the queries of a folder, or others')
    .description(
      'Compares exact MaxSim with the reduction (and, in folders of the demo, with random features and a pooled vector): recall of the exact top k, nDCG where there are judgements, time, bytes.',
    )
    .argument('<folder>', 'a folder that `lemur fit` or `lemur demo` has filled')
    .option('-k <n>', 'results that count', positiveInteger, TABLE.k)
    .option(
      '--candidates <n...>',
      `documents that are reranked, each at least k (default: ${TABLE.candidates.join(' ')})`,
      positiveIntegers,
    )
    .addOption(shared.scan())
    .option('--queries <path>', 'other queries: JSON lines ({"_id", "text"}) or token vectors (default: those that came with the texts)')
    .option('--qrels <file>', 'judgements of --queries: tab-separated query, document, grade')
    .addOption(shared.json())
    .addOption(shared.movedModel())
    .addOption(shared.threads())
    .addHelpText(
      'after',
      examples(
        'lemur eval .lemur-demo/scifact-1000',
        'lemur eval .lemur-demo/scifact-1000 --candidates 20 400 --json',
        'lemur eval my-vectors --queries queries.npy --qrels qrels.tsv',
      ),
    );
  command.action(async (folder: string, options: EvalOptions) => {
    if (options.qrels !== undefined && options.queries === undefined)
      command.error("error: option '--qrels <file>' needs '--queries <path>'");
    await evaluateFolder(folder, options, context);
  });
}

async function evaluateFolder(folder: string, options: EvalOptions, context: Context): Promise<void> {
  const { k, candidates = TABLE.candidates, scan, model, threads } = options;
  const { signal, reporter, print } = context;
  checkCandidates(candidates, k);
  const collection = await interruptible(signal, openCollection(folder));
  const own = options.queries === undefined;
  const asText = !own && !hasVectors(await pathKind(options.queries!));
  // needed for texts; else it is only timed, where it is at hand
  const encoder = asText
    ? await openCollectionEncoder(collection, model, threads)
    : own
      ? await optionalEncoder(collection, model, threads)
      : undefined;
  try {
    const queries = own ? undefined : await openOthers(collection, encoder, options, context);
    const { value } = await reporter.step('evaluate', (onProgress) =>
      evaluate(collection, queries, { k, candidates, scan, threads, encoder, signal, onProgress }),
    );
    const report = createReport(collection.info, value, threads);
    if (options.json) print(JSON.stringify(report, null, 2));
    else print(`\n${formatReport(report)}\n\nMade in: ${formatStages(collection.info.stages)}.`);
  } finally {
    await encoder?.close();
  }
}

/** Queries that did not come with the collection, as texts where there is an encoder, else as vectors. */
async function openOthers(
  { info, tokens: { dim } }: Collection,
  encoder: PoolingEncoder | undefined,
  { queries: path = '', qrels }: EvalOptions,
  context: Context,
): Promise<StoredQueries> {
  const judgements: Qrels = qrels === undefined ? new Map() : await parseQrels(fileBytes(qrels), qrels);
  if (!encoder) {
    const { tokens, ids } = await openVectors(path, { ...context, single: true });
    checkDim(tokens.dim, dim, path);
    return { queries: ids.map((id) => ({ id, text: '' })), qrels: judgements, tokens, pooled: undefined };
  }
  const queries = await parseBeirQueries(fileBytes(path), path);
  if (queries.length === 0) throw new LemurError('invalid-argument', `${path}: expected at least one query, got none`, { where: path });
  const empty = queries.find(({ text }) => text.trim() === '');
  if (empty) throw new LemurError('invalid-argument', `${path}: query "${empty.id}" has no text`, { where: path });
  const texts = queries.map(({ text }) => text);
  const { tokens, pooled } = await encoder.encode(texts, { kind: 'query', maxTokens: info.plan.maxTokens, signal: context.signal });
  return { queries, qrels: judgements, tokens, pooled: pooled.vectors };
}
