import { LemurError } from '../errors.js';
import { readLines } from '../formats/jsonl.js';
import type { AnyFilter } from '../index/filter.js';
import { type Answer, formatAnswer, openEngine } from './answer.js';
import { examples, positiveInteger, shared } from './arguments.js';
import { openCollection, type StoredTokens } from './collection.js';
import { openCollectionEncoder } from './collection-encoder.js';
import { type Context, interruptible } from './context.js';
import { checkCandidates } from './evaluate.js';
import { filterJson, searchIndex } from './index-commands.js';
import { isIndex } from './path-kind.js';
import { checkDim, openVectors } from './source.js';
import { type Command, Option } from './vendor.js';

interface SearchOptions {
  k: number;
  candidates?: number;
  scan: 'prefix' | 'full';
  exact?: true;
  vectors?: string;
  json?: true;
  filter?: AnyFilter;
  model?: string;
  threads?: number;
}

/** The command `search`: answers questions from a collection. */
export function addSearch(program: Command, context: Context): void {
  const command = program
    .command('search')
    .summary('answer questions from a folder')
    .description(
      'Answers a question from a folder that `lemur fit` or `lemur demo` has filled. Without a question, those on standard input, one a line, each answered as it comes.',
    )
    .argument('<folder>', 'a folder that `lemur fit` or `lemur demo` has filled')
    .argument('[question...]', 'the question, quoted or not')
    .option('-k <n>', 'results', positiveInteger, 10)
    .option(
      '--candidates <n>',
      'documents that are reranked by exact MaxSim, at least k (default: 200; of an index what `lemur tune` found)',
      positiveInteger,
    )
    .addOption(new Option('--exact', 'score all documents by exact MaxSim').conflicts(['candidates', 'scan']))
    .addOption(shared.scan())
    .option('--vectors <file>', 'queries as token vectors, in place of a question: .npy of 2 or 3 dimensions, safetensors, a folder, or -')
    .option('--json', 'print JSON; for more than one question one line each')
    .option('--filter <json>', 'of an index: only documents whose metadata passes, such as {"lang":"de"}', filterJson)
    .addOption(shared.movedModel())
    .addOption(shared.threads())
    .addHelpText(
      'after',
      examples(
        'lemur search .lemur-demo/scifact-1000 "do statins lower cholesterol?"',
        'lemur search .lemur-demo/scifact-1000 -k 3 --json vitamin D and pregnancy',
        'lemur search my-vectors --vectors query.npy --exact',
        'lemur search .lemur-demo/scifact-1000 --json < questions.txt',
      ),
    );
  command.action(async (folder: string, words: string[], options: SearchOptions) => {
    const missing = words.length === 0 && options.vectors === undefined;
    if (missing && context.inputIsTerminal) command.error("error: missing required argument 'question' (or standard input, or --vectors)");
    if (words.length > 0 && options.vectors !== undefined) command.error("error: a question cannot be used with option '--vectors'");
    await search(folder, words.length > 0 ? words.join(' ') : undefined, options, context);
  });
}

async function search(folder: string, question: string | undefined, options: SearchOptions, context: Context): Promise<void> {
  const { k, candidates = 200, scan, vectors, model, threads } = options;
  const { signal, print } = context;
  const exact = options.exact ?? false;
  if (!exact) checkCandidates([candidates], k);
  if (question?.trim() === '') throw new LemurError('invalid-argument', 'the question is empty', { where: 'question' });
  if (await isIndex(folder)) {
    if (vectors !== undefined)
      throw new LemurError('unsupported', '--vectors: not for an index yet; Index.search takes token vectors', { where: '--vectors' });
    const questions = question === undefined ? readLines(context.openInput(), 'standard input') : [question];
    return searchIndex(folder, questions, { ...options, numCandidates: options.candidates, exact }, context);
  }
  if (options.filter) throw new LemurError('unsupported', `--filter: ${folder} is no index: lemur add makes one`, { where: '--filter' });
  const collection = await interruptible(signal, openCollection(folder));
  if (!collection.info.encoder && vectors === undefined) {
    const problem = `${folder} was made from ready-made vectors: give those of the question with --vectors`;
    throw new LemurError('invalid-argument', problem, { where: 'question' });
  }
  const queries = vectors === undefined ? undefined : await openVectors(vectors, { ...context, single: true });
  if (queries) checkDim(queries.tokens.dim, collection.tokens.dim, vectors!);
  const encoder = queries ? undefined : await openCollectionEncoder(collection, model, threads);
  try {
    const engine = await openEngine(collection, encoder, { maxTokens: collection.info.plan.maxTokens, exact, scan, threads, signal });
    let answered = 0;
    const show = (answer: Answer, alone: boolean): void => {
      if (options.json) print(alone ? JSON.stringify(answer, null, 2) : JSON.stringify(answer));
      else print(answered > 0 ? `\n${formatAnswer(answer)}` : formatAnswer(answer));
      answered++;
    };
    if (queries) {
      const { tokens, ids } = queries;
      for (const [i, id] of ids.entries()) show(await engine.find(id, textOf(tokens, i), k, candidates), ids.length === 1);
    } else if (question !== undefined) {
      show(await engine.ask(question, k, candidates), true);
    } else {
      for await (const { text } of readLines(context.openInput(), 'standard input')) show(await engine.ask(text, k, candidates), false);
      if (answered === 0)
        throw new LemurError('invalid-argument', 'no question: none in the arguments, none on standard input', { where: 'question' });
    }
    engine.close();
  } finally {
    await encoder?.close();
  }
}

/** The tokens of one text of many. */
function textOf({ vectors, counts, dim, offsets }: StoredTokens & { offsets: Float64Array }, text: number): StoredTokens {
  return { vectors: vectors.subarray(offsets[text] * dim, offsets[text + 1] * dim), counts: counts.subarray(text, text + 1), dim };
}
