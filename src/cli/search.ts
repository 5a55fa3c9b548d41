import type { Filter } from '../collection/metadata/filter.js';
import type { SearchOptions } from '../collection/options/options.js';
import { isLemurError, LemurError } from '../errors.js';
import { readLines } from '../formats/json/jsonl.js';
import type { TokenMatrix, TokenSets } from '../tokens/token-sets.js';
import { type Answer, ask, formatAnswer } from './answer.js';
import { examples, path, positiveInteger, share, shared } from './arguments.js';
import type { Context } from './context.js';
import { type OpenedIndex, withIndex } from './open-index.js';
import { checkDim, openVectors } from './source.js';
import { type Command, Option } from './vendor.js';

interface SearchArguments {
  k: number;
  candidates?: number;
  recall?: number;
  exact?: true;
  filter?: Filter;
  evidence?: true;
  vectors?: string;
  keepZeros?: true;
  json?: true;
  model?: string;
  threads?: number;
}

/** The command `search`: answers questions from an index. */
export function addSearch(program: Command, context: Context): void {
  const command = program
    .command('search')
    .summary('answer questions from an index')
    .description(
      'Answers a question from an index. Without a question, those on standard input, one a line, each answered as it comes.',
    )
    .argument('<index>', 'folder of the index', path)
    .argument('[question...]', 'the question, quoted or not')
    .option('-k <n>', 'results', positiveInteger, 10)
    .addOption(
      new Option(
        '--candidates <n>',
        'documents that are reranked by exact MaxSim, at least k (default: what `lemur tune` found, else 200)',
      )
        .argParser(positiveInteger)
        .conflicts('recall'),
    )
    .addOption(
      new Option(
        '--recall <share>',
        'share of the exact results to find, as `lemur tune` measured it',
      ).argParser(share),
    )
    .addOption(
      new Option('--exact', 'score all documents by exact MaxSim').conflicts([
        'candidates',
        'recall',
      ]),
    )
    .addOption(shared.filter())
    .option('--evidence', 'show which words of a document matched')
    .option(
      '--vectors <file>',
      'queries as token vectors, in place of a question: .npy of 2 or 3 dimensions, safetensors, a folder, or -',
      path,
    )
    .addOption(shared.keepZeros())
    .option('--json', 'print JSON; for more than one question one line each')
    .addOption(shared.movedModel())
    .addOption(shared.threads())
    .addHelpText(
      'after',
      examples(
        'lemur search .lemur-demo/scifact-1000 "do statins lower cholesterol?" --evidence',
        'lemur search .lemur-demo/scifact-1000 -k 3 --json vitamin D and pregnancy',
        'lemur search papers.lemur "cooling" --filter \'{"year":{"$gte":2000}}\'',
        'lemur search my-vectors --vectors query.npy --exact',
        'lemur search .lemur-demo/scifact-1000 --json < questions.txt',
      ),
    );
  command.action(async (folder: string, words: string[], options: SearchArguments) => {
    const missing = words.length === 0 && options.vectors === undefined;
    if (missing && context.inputIsTerminal)
      command.error(
        "error: missing required argument 'question' (or standard input, or --vectors)",
      );
    if (words.length > 0 && options.vectors !== undefined)
      command.error("error: a question cannot be used with option '--vectors'");
    const question = words.length > 0 ? words.join(' ') : undefined;
    if (question?.trim() === '')
      throw new LemurError('invalid-argument', 'the question is empty', { where: 'question' });
    checkCandidates(options.candidates === undefined ? [] : [options.candidates], options.k);
    const { vectors, model, threads } = options;
    await withIndex(folder, { texts: vectors === undefined, model, threads }, (it) =>
      search(it, question, options, context),
    );
  });
}

async function search(
  it: OpenedIndex,
  question: string | undefined,
  options: SearchArguments,
  context: Context,
): Promise<void> {
  const {
    k,
    candidates: numCandidates,
    recall,
    exact,
    filter,
    evidence,
    vectors,
    keepZeros,
    json,
  } = options;
  const { signal, print, printJson } = context;
  const include: SearchOptions['include'] = [
    'text',
    'metadata',
    ...(evidence ? (['evidence'] as const) : []),
  ];
  const asked = { k, numCandidates, recall, exact, filter, include, signal };
  let answered = 0;
  const show = (answer: Answer, alone: boolean): void => {
    if (json) printJson(answer, alone ? 2 : 0);
    else print(`${answered > 0 ? '\n' : ''}${formatAnswer(answer)}`);
    answered++;
  };
  const answer = (what: Parameters<typeof ask>[1]): Promise<Answer> =>
    ask(it.index, what, asked).catch(untuned);
  if (vectors !== undefined) {
    const { tokens, ids } = await openVectors(vectors, { ...context, single: true, keepZeros });
    checkDim(tokens.dim, it.index.dim, vectors);
    for (const [i, id] of ids.entries())
      show(await answer({ query: id, tokens: matrixOf(tokens, i) }), ids.length === 1);
  } else if (question !== undefined) {
    show(await answer({ question }), true);
  } else {
    for await (const { text } of readLines(context.openInput(), 'standard input'))
      show(await answer({ question: text }), false);
    if (answered === 0)
      throw new LemurError(
        'invalid-argument',
        'no question: none in the arguments, none on standard input',
        { where: 'question' },
      );
  }
}

/** k' below k cannot fill a result. */
export function checkCandidates(candidates: readonly number[], k: number): void {
  const small = candidates.find((n) => n < k);
  if (small === undefined) return;
  const why = `the ${k} results are chosen among the candidates, so expected at least ${k}`;
  throw new LemurError('invalid-argument', `--candidates ${small} is below -k ${k}: ${why}`, {
    where: 'candidates',
  });
}

/** The tokens of one text of many. */
export function matrixOf({ vectors, counts, dim, offsets }: TokenSets, text: number): TokenMatrix {
  return {
    data: vectors.subarray(offsets[text] * dim, offsets[text + 1] * dim),
    dims: [counts[text], dim],
  };
}

/** The library's words for it are those of its methods. */
function untuned(error: unknown): never {
  if (!isLemurError(error, 'unsupported') || error.fields.where !== 'recall') throw error;
  throw new LemurError(
    'unsupported',
    '--recall: how many candidates it takes has not been measured: run `lemur tune` once',
    {
      where: 'recall',
    },
  );
}
