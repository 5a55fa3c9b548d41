import type { Index } from '../collection/index.js';
import type { Filter } from '../collection/metadata/filter.js';
import type { Include, SearchMode, SearchOptions } from '../collection/options/options.js';
import type { DeviceName } from '../device/default-device.js';
import { isLemurError, LemurError } from '../errors.js';
import { readLines } from '../formats/json/jsonl.js';
import { type Answer, ask, formatAnswer } from './answer.js';
import { answerJson } from './answer-json.js';
import { examples, path, positiveInteger, share, shared } from './arguments.js';
import { checkCandidates } from './check-candidates.js';
import { checkDim } from './check-source.js';
import type { Context } from './context.js';
import { filesOfIndex } from './file-place.js';
import { type OpenedIndex, withIndex } from './open-index.js';
import { inOwnWords } from './own-words.js';
import { queryMatrix } from './query-matrix.js';
import { openVectors } from './source.js';
import { refuseSwapped } from './swapped.js';
import { type Command, Option } from './vendor.js';

interface SearchArguments {
  k: number;
  mode: SearchMode;
  candidates?: number;
  recall?: number;
  exact?: true;
  filter?: Filter;
  evidence?: true;
  vectors?: string;
  keepZeros?: true;
  json?: true;
  text?: true;
  model?: string;
  threads?: number;
  device?: DeviceName;
}

/** The command `search`: answers questions from an index. */
export function registerSearch(program: Command, context: Context): void {
  const command = program
    .command('search')
    .summary('answer questions from an index')
    .description(
      'Answers a question from an index. Without one it asks for questions in a terminal, one ' +
        'after the other (the arrow keys bring earlier ones, Ctrl-D ends); elsewhere it reads ' +
        'them from standard input, one a line, each answered as it comes.',
    )
    .argument('<index>', 'folder of the index', path)
    .argument('[question...]', 'the question, quoted or not');
  addSearchOptions(command)
    .addHelpText(
      'after',
      examples(
        'lemur search .lemur-demo/scifact-1000 "do statins lower cholesterol?" --evidence',
        'lemur search .lemur-demo/scifact-1000 -k 3 --json vitamin D and pregnancy',
        'lemur search notes.lemur ERR_MODULE_NOT_FOUND --mode keywords',
        'lemur search papers.lemur "cooling" --filter \'{"year":{"$gte":2000}}\'',
        'lemur search my-vectors --vectors query.npy --exact',
        'lemur search .lemur-demo/scifact-1000 --json < questions.txt',
      ),
    )
    .action(async (folder: string, words: string[], options: SearchArguments) => {
      await refuseSwapped(folder, words.at(-1), command);
      const question = questionOf(words, options, command);
      checkCandidates(options.candidates === undefined ? [] : [options.candidates], options.k);
      const { vectors, mode, model, threads, device } = options;
      // keywords need no encoder
      const texts = vectors === undefined && mode !== 'keywords';
      await withIndex(folder, { texts, model, threads, device }, (it) =>
        search(it, question, options, context),
      );
    });
}

function addSearchOptions(command: Command): Command {
  return command
    .option('-k <n>', 'results: documents, each with its best passages', positiveInteger, 10)
    .addOption(shared.mode())
    .addOption(
      new Option(
        '--candidates <n>',
        'documents that are reranked by exact MaxSim, at least k (default: what `lemur tune` ' +
          'found, else 200)',
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
    .option(
      '--evidence',
      'show which words of a document matched (always where documents are cut into passages, ' +
        'unless --json)',
    )
    .option(
      '--vectors <file>',
      'queries as token vectors, in place of a question: .npy of 2 or 3 dimensions, ' +
        'safetensors, a folder, or -',
      path,
    )
    .addOption(shared.keepZeros())
    .option(
      '--json',
      'print JSON, with the part of each text that matched; for more than one question one ' +
        'line each',
    )
    .option('--text', 'with --json: whole texts')
    .addOption(shared.movedModel())
    .addOption(shared.threads())
    .addOption(shared.device());
}

/** The question in the arguments; undefined where questions or vectors come from elsewhere. */
function questionOf(
  words: readonly string[],
  { vectors, mode, candidates, recall, text, json }: SearchArguments,
  command: Command,
): string | undefined {
  if (text && !json) command.error("error: option '--text' needs option '--json'");
  if (mode !== 'meaning' && vectors !== undefined)
    command.error(`error: option '--mode ${mode}' cannot be used with option '--vectors'`);
  if (mode === 'keywords' && (candidates ?? recall) !== undefined) {
    const other = candidates === undefined ? '--recall' : '--candidates';
    command.error(`error: option '--mode keywords' cannot be used with option '${other}'`);
  }
  if (words.length === 0) return undefined;
  if (vectors !== undefined)
    command.error("error: a question cannot be used with option '--vectors'");
  const question = words.join(' ');
  if (question.trim() === '')
    command.error('error: the question is empty; without one questions are asked for');
  return question;
}

async function search(
  it: OpenedIndex,
  question: string | undefined,
  options: SearchArguments,
  context: Context,
): Promise<void> {
  const { vectors, keepZeros, json, text: whole = false, evidence = false } = options;
  const { print, printJson } = context;
  const asked = searchOptions(it.index, options, context.signal);
  const fileOf = filesOfIndex(it.folder, it.index.stats());
  let answered = 0;
  const show = (answer: Answer, alone: boolean): void => {
    if (json) printJson(answerJson(answer, { text: whole, evidence, fileOf }), alone ? 2 : 0);
    else print(`${answered > 0 ? '\n' : ''}${formatAnswer(answer, context.columns, fileOf)}`);
    answered++;
  };
  const answer = (query: Parameters<typeof ask>[1]): Promise<Answer> =>
    ask(it.index, query, asked).catch(inOwnWords);
  if (vectors !== undefined) {
    const { tokens, ids } = await openVectors(vectors, { ...context, single: true, keepZeros });
    checkDim(tokens.dim, it.index.dim, vectors);
    for (const [i, id] of ids.entries())
      show(await answer({ query: id, tokens: queryMatrix(tokens, i) }), ids.length === 1);
  } else if (question !== undefined) {
    show(await answer({ question }), true);
  } else if (context.inputIsTerminal) {
    for await (const text of context.openPrompt())
      await answer({ question: text }).then(
        (found) => show(found, false),
        (error: unknown) => refused(error, context),
      );
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

function searchOptions(
  index: Index,
  { k, mode, candidates: numCandidates, recall, exact, filter, ...shown }: SearchArguments,
  signal: AbortSignal,
): SearchOptions {
  const cut = index.stats().passages !== null;
  // by evidence the part of a text is found that is shown: of files, and to programs
  const evidence = shown.evidence || (shown.json ? !shown.text : cut);
  const include = ['text', 'metadata', ...(evidence ? ['evidence'] : [])] as Include[];
  const groupBy = cut ? ('source' as const) : undefined;
  return { k, mode, numCandidates, recall, exact, filter, include, groupBy, signal };
}

/** A question that cannot be answered is not the end of the others. */
function refused(error: unknown, { signal, reporter }: Context): void {
  if (signal.aborted || !isLemurError(error)) throw error;
  reporter.note(error.message);
}
