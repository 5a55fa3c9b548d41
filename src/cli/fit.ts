import { resolve } from 'node:path';
import { LemurError } from '../errors.js';
import { resolveLearnOptions } from '../lemur/options.js';
import type { TokenReport } from '../tokens/token-sets.js';
import { examples, positiveInteger, shared } from './arguments.js';
import { buildCollection } from './build-collection.js';
import { type CollectionInfo, type Plan, readInfo, type StoredTokens } from './collection.js';
import type { Context } from './context.js';
import { digestTexts, digestTokens } from './digest.js';
import { fitIndexFolder } from './index-commands.js';
import { addLearnOptions, type LearnArguments, learnOptionsOf } from './learn-options.js';
import { checkModel, DIM, findModel, type ModelReference } from './model.js';
import { isIndex } from './path-kind.js';
import { formatStages } from './report.js';
import { createRunEncoder } from './run-encoder.js';
import { openRun } from './run-state.js';
import { checkDim, openSource, openVectors, refuseTextOptions, type Source, STDIN } from './source.js';
import { counted } from './text-layout.js';
import type { Command } from './vendor.js';

interface FitArguments extends LearnArguments {
  out?: string;
  model?: string;
  maxTokens?: number;
  dim?: number;
  learn?: string;
  split?: string;
  skipEmpty?: true;
  fresh?: true;
  json?: true;
  threads?: number;
}

/** The command `fit`: makes a collection of texts or token vectors. */
export function addFit(program: Command, context: Context): void {
  const command = program
    .command('fit')
    .summary('learn a corpus of texts or token vectors; writes a folder to search')
    .description(
      'Learns the reduction of a corpus and writes a folder that `lemur search`, `eval` and `info` open. A second run of the same command, or one after Ctrl-C, goes on with what is on disk.',
    )
    .argument(
      '<source>',
      'texts: a folder of *.txt and *.md (and those below it), a file of JSON lines ({"_id", "title", "text"}), a BEIR folder; token vectors: a folder with tokens.npy and counts.npy, .npy (texts x tokens x dim), safetensors (tokens, counts); - for either on standard input',
    )
    .option('--out <folder>', 'where the collection goes; not needed for an index, which learns in place')
    .addOption(shared.model())
    .addOption(shared.maxTokens())
    .option('--dim <n>', "dimensions of the token vectors made of texts (default: 128, at most the encoder's)", positiveInteger)
    .option('--learn <path>', 'token vectors to learn from, best of real queries (default: the documents)')
    .addOption(shared.split())
    .addOption(shared.skipEmpty())
    .option('--fresh', 'start over, deleting what an earlier run left in the folder')
    .addOption(shared.json())
    .addOption(shared.threads());
  addLearnOptions(command)
    .addHelpText(
      'after',
      examples(
        'lemur fit notes/ --out notes.lemur',
        'lemur fit corpus.jsonl --out corpus.lemur --final-hidden-dim 2048',
        'lemur fit vectors.safetensors --out vectors.lemur --learn queries.npy',
        "jq -c '{id: .url, text: .body}' pages.json | lemur fit - --out pages.lemur",
      ),
    )
    .action(async (source: string, options: FitArguments) => {
      if (options.out !== undefined) return fitSource(source, { ...options, out: options.out }, context);
      if (source === STDIN || !(await isIndex(source))) return command.error("error: required option '--out <folder>' not specified");
      return fitIndexFolder(source, { ...learnOptionsOf(options), threads: options.threads, json: options.json }, context);
    });
}

async function fitSource(path: string, options: FitArguments & { out: string }, context: Context): Promise<void> {
  const { out, threads, json } = options;
  const { signal, reporter, print } = context;
  resolveLearnOptions(learnOptionsOf(options) ?? {});
  if (path !== STDIN && resolve(path) === resolve(out)) throw wrong('--out', `${out}: the source itself; name another folder with --out`);
  const source = await openSource(path, { ...context, ...options });
  if (source.kind === 'vectors') refuseTextOptions(path, options);
  const learn = options.learn === undefined ? undefined : (await openVectors(options.learn, context)).tokens;
  if (learn && source.kind === 'vectors') checkDim(learn.dim, source.tokens.dim, options.learn!);
  const model = source.kind === 'texts' ? await findModel(options.model) : undefined;
  const limits = model && (await checkModel(model.folder, options.maxTokens));
  if (learn && limits) checkDim(learn.dim, Math.min(options.dim ?? DIM, limits.dim), options.learn!);
  const maxTokens = options.maxTokens ?? limits?.maxTokens;
  const plan = await planOf(source, model?.reference, learn, { ...options, maxTokens }, signal);
  const run = await openRun(out, plan, options.fresh ?? false);
  const encoder = model && createRunEncoder(out, model.folder, threads);
  const vectors = source.kind === 'vectors' ? source.tokens : encoder!;
  try {
    const onSearchable = async (_: StoredTokens, report: TokenReport | undefined): Promise<void> => {
      const zeros = report?.zeroRows ?? 0;
      if (zeros > 0) reporter.note(`${counted(zeros, 'token vector')} of zeros: padding that was not cut off?`);
    };
    await buildCollection(run, { plan, texts: source.texts, vectors, learn, compare: false, threads, signal, reporter, onSearchable });
  } finally {
    await encoder?.close();
  }
  const info = await readInfo(out);
  print(json ? JSON.stringify({ folder: out, ...info }, null, 2) : describeFitted(out, info));
}

/** What is to be made; the keys in one order, since plans are compared as JSON. */
async function planOf(
  source: Source,
  model: ModelReference | undefined,
  learn: StoredTokens | undefined,
  options: Omit<FitArguments, 'maxTokens'> & { maxTokens: number | undefined },
  signal: AbortSignal,
): Promise<Plan> {
  const { label, texts } = source;
  const documents = texts.documents.length;
  const chosen = { learn: learnOptionsOf(options), learnDigest: learn && (await digestTokens(learn, undefined, signal)) };
  if (source.kind === 'vectors') {
    return { data: label, documents, dim: source.tokens.dim, digest: await digestTokens(source.tokens, texts, signal), ...chosen };
  }
  const { maxTokens, dim } = options;
  return { data: label, documents, model, maxTokens, dim, digest: digestTexts(texts), ...chosen };
}

function describeFitted(folder: string, { counts, encoder, stages }: CollectionInfo): string {
  const { documents, tokens, queries } = counts;
  const question = encoder ? '"a question"' : '--vectors query.npy';
  return [
    `${folder}: ${counted(documents, 'document')}, ${counted(tokens, 'token vector')}${queries > 0 ? `, ${counted(queries, 'query', 'queries')}` : ''}`,
    `Made in: ${formatStages(stages)}.`,
    `Next:\n  lemur search ${folder} ${question}\n  lemur eval ${folder}${queries > 0 ? '' : ' --queries queries'}`,
  ].join('\n');
}

function wrong(where: string, message: string): LemurError {
  return new LemurError('invalid-argument', message, { where });
}
