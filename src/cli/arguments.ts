import { InvalidArgumentError, Option } from './vendor.js';

/** A positive whole number; commander says which option it was. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

/** A whole number that may be 0. */
export function wholeNumber(text: string): number {
  return /^0+$/.test(text) ? 0 : positiveInteger(text);
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
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError(`Expected JSON, such as '{"year":{"$gte":2000}}'.`);
  }
}

/** Gathers the values of an option that takes several. */
export function positiveIntegers(text: string, before: readonly number[] | undefined): number[] {
  return [...(before ?? []), positiveInteger(text)];
}

/** Options that several commands have. */
export const shared = {
  threads: (): Option =>
    new Option('--threads <n>', 'threads to compute with (default: all that the machine has)').argParser(positiveInteger),
  json: (): Option => new Option('--json', 'print JSON'),
  model: (): Option =>
    new Option(
      '--model <checkpoint>',
      'an encoder of your own: the folder of a checkpoint (PyLate, Sentence Transformers, Stanford ColBERT, ONNX, or a BERT alone), or its id on the hub',
    ),
  movedModel: (): Option =>
    new Option('--model <checkpoint>', "the encoder's weights, where they are no longer in the place the index was made with"),
  maxTokens: (): Option =>
    new Option(
      '--max-tokens <n>',
      'tokens of a text that are encoded, from its beginning (default: what a late-interaction checkpoint says, else 180)',
    ).argParser(positiveInteger),
  filter: (): Option =>
    new Option('--filter <json>', 'only documents whose metadata passes, such as \'{"year":{"$gte":2000}}\'').argParser(json),
  split: (): Option => new Option('--split <name>', 'judgements of a BEIR folder: qrels/<name>.tsv').default('test'),
  skipEmpty: (): Option => new Option('--skip-empty', 'leave out documents without any text, which are refused otherwise'),
} as const;

/** Examples at the end of a help page. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}
