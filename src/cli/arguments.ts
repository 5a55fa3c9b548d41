import { absolutePath } from '../bytes/node-path.js';
import { findInexactNumber, inexactProblem } from '../formats/json/inexact-numbers.js';
import { InvalidArgumentError, Option } from './vendor.js';

/**
 * Most that any option counts; larger sizes and numbers have no use, and whatever takes them would
 * run out of memory.
 */
const MOST = 2 ** 31 - 1;
/** Threads that may be asked for. */
const MOST_THREADS = 256;

/** A whole number of at least 1; commander says which option it was. */
export function positiveInteger(text: string): number {
  return integerWithin(text, 1, MOST);
}

/** A whole number that may be 0. */
export function wholeNumber(text: string): number {
  return integerWithin(text, 0, MOST);
}

/** A start of random draws. */
export function seed(text: string): number {
  return integerWithin(text, 0, Number.MAX_SAFE_INTEGER);
}

function threads(text: string): number {
  return integerWithin(text, 1, MOST_THREADS);
}

function integerWithin(text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least)
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
  if (value > most) throw new InvalidArgumentError(`Expected a whole number of at most ${most}.`);
  return value;
}

/** The path that is meant: a `file:` address is the path in it. */
export function path(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a path, got an empty one.');
  if (!/^file:/i.test(text)) return text;
  try {
    return absolutePath(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

/** A share of a whole. */
export function share(text: string): number {
  const value = positiveNumber(text);
  if (value <= 1) return value;
  throw new InvalidArgumentError('Expected a number above 0 and at most 1.');
}

/** JSON; what it says is checked where it is used. */
export function json(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError(`Expected JSON, such as '{"year":{"$gte":2000}}'.`);
  }
  const inexact = findInexactNumber(text);
  if (inexact) throw new InvalidArgumentError(`${inexactProblem(inexact)}.`);
  return value;
}

/** Gathers the values of an option that takes several. */
export function positiveIntegers(text: string, before: readonly number[] | undefined): number[] {
  return [...(before ?? []), positiveInteger(text)];
}

/** Options that several commands have. */
export const shared = {
  threads: (): Option =>
    new Option(
      '--threads <n>',
      'threads to compute with (default: all that the machine has)',
    ).argParser(threads),
  device: (): Option =>
    new Option(
      '--device <name>',
      'what computes: cpu, webgpu (a GPU, by the package webgpu), or auto, the quicker of them ' +
        '(default: cpu)',
    ).choices(['cpu', 'webgpu', 'auto']),
  json: (): Option => new Option('--json', 'print JSON'),
  model: (): Option =>
    new Option(
      '--model <checkpoint>',
      'an encoder of your own: the folder of a checkpoint (PyLate, Sentence ' +
        'Transformers, Stanford ColBERT, ONNX, or a BERT alone), or its id on the hub',
    ).argParser(path),
  movedModel: (): Option =>
    new Option(
      '--model <checkpoint>',
      "the encoder's weights, where they are no longer in the place the index was made with",
    ).argParser(path),
  maxTokens: (): Option =>
    new Option(
      '--max-tokens <n>',
      'tokens of a text that are encoded, from its beginning (default: what a ' +
        'late-interaction checkpoint says, else 180)',
    ).argParser(positiveInteger),
  mode: (): Option =>
    new Option(
      '--mode <name>',
      'rank by meaning, by keywords (the words of the question, names and error codes too; no ' +
        'encoder is loaded), or hybrid, by both',
    )
      .choices(['meaning', 'keywords', 'hybrid'])
      .default('meaning'),
  filter: (): Option =>
    new Option(
      '--filter <json>',
      'only documents whose metadata passes, such as \'{"year":{"$gte":2000}}\'',
    ).argParser(json),
  split: (): Option =>
    new Option('--split <name>', 'judgements of a BEIR folder: qrels/<name>.tsv').default('test'),
  keepZeros: (): Option =>
    new Option(
      '--keep-zeros',
      'take token vectors that are zero throughout for tokens; they are left out ' +
        'otherwise, as padding',
    ),
  skipEmpty: (): Option =>
    new Option(
      '--skip-empty',
      'leave out documents without any text, which are refused otherwise (empty files ' +
        'of a folder are always left out)',
    ),
} as const;

/** Examples at the end of a help page. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}
