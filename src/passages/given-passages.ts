import { invalidArgument, type LemurError } from '../errors.js';
import { stepPacer } from '../pacer.js';
import { showValue } from '../value-kind.js';
import type { TextPassage } from './cut-text.js';
import { LineNumbers } from './line-numbers.js';
import type { CutFunction, CutPassage } from './passage-rules.js';

/** Steps of a passage between two turns of the event loop. */
const STEPS_A_PASSAGE = 64;
/** Passages of a document, and characters (UTF-16 code units) of one. */
const MOST_PASSAGES = 2 ** 20;
const MOST_CHARACTERS = 2 ** 23;

/**
 * The passages that a caller's function makes of a text. Raises 'invalid-argument', naming
 * `where`, for what are no passages, and what the function throws.
 */
export async function* givenPassages(
  text: string,
  cut: CutFunction,
  where: string,
  signal?: AbortSignal | undefined,
): AsyncGenerator<TextPassage, void, void> {
  const step = stepPacer(signal);
  const lines = new LineNumbers(text);
  let number = 0;
  let before = 0;
  const given: unknown = cut(text);
  if (typeof Object(given)[Symbol.iterator] !== 'function' || typeof given === 'string')
    throw invalidArgument(`${where}: passages`, `expected an iterable, got ${showValue(given)}`);
  for (const passage of given as Iterable<CutPassage>) {
    await step(STEPS_A_PASSAGE);
    const name = `${where}: passage ${++number}`;
    if (number > MOST_PASSAGES)
      throw invalidArgument(name, `expected at most ${MOST_PASSAGES} of a document`);
    const { text: own, span } = checkedPassage(passage, text, before, name);
    const inText = text.slice(...span);
    yield {
      text: own,
      context: own.endsWith(inText) ? own.length - inText.length : undefined,
      span,
      lines: lines.of(span, inText),
    };
    before = span[0];
  }
  if (number === 0) throw invalidArgument(`${where}: passages`, 'expected at least one, got none');
}

/** Looks at each property once, and gives what was looked at: another look may find another. */
function checkedPassage(
  passage: CutPassage,
  text: string,
  before: number,
  where: string,
): { text: string; span: readonly [number, number] } {
  const wrong = (problem: string): LemurError => invalidArgument(where, problem);
  const { text: own, span } = Object(passage) as Partial<CutPassage>;
  const places: readonly unknown[] = Array.isArray(span) ? [...span] : [];
  if (typeof own !== 'string' || places.length !== 2)
    throw wrong(`expected { text, span: [start, end] }, got ${showValue(passage)}`);
  if (own.trim() === '') throw wrong('its text is empty');
  if (own.length > MOST_CHARACTERS)
    throw wrong(`its text: ${own.length} characters, expected at most ${MOST_CHARACTERS}`);
  const [start, end] = places as [number, number];
  if (![start, end].every(Number.isInteger) || start < before || end <= start || end > text.length)
    throw wrong(
      `span [${showValue(start)}, ${showValue(end)}], expected a place of the text, ` +
        `${text.length} long, that begins at ${before} or behind it`,
    );
  return { text: own, span: [start, end] };
}
