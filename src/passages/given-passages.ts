import { invalidArgument, type LemurError } from '../errors.js';
import { stepPacer } from '../pacer.js';
import { showValue } from '../value-kind.js';
import type { TextPassage } from './cut-text.js';
import { LineNumbers } from './line-numbers.js';
import type { CutFunction, CutPassage } from './passage-rules.js';

/** Steps of a passage between two turns of the event loop. */
const STEPS_A_PASSAGE = 64;

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
    checkPassage(passage, text, before, name);
    const span = [passage.span[0], passage.span[1]] as const;
    const own = text.slice(...span);
    const isOwn = passage.text.endsWith(own);
    yield {
      text: passage.text,
      context: isOwn ? passage.text.length - own.length : undefined,
      span,
      lines: lines.of(span, own),
    };
    before = span[0];
  }
  if (number === 0) throw invalidArgument(`${where}: passages`, 'expected at least one, got none');
}

function checkPassage(passage: CutPassage, text: string, before: number, where: string): void {
  const wrong = (problem: string): LemurError => invalidArgument(where, problem);
  const { text: own, span } = Object(passage) as Partial<CutPassage>;
  if (typeof own !== 'string' || !Array.isArray(span) || span.length !== 2)
    throw wrong(`expected { text, span: [start, end] }, got ${showValue(passage)}`);
  if (own.trim() === '') throw wrong('its text is empty');
  const [start, end] = span as [number, number];
  if (![start, end].every(Number.isInteger) || start < before || end <= start || end > text.length)
    throw wrong(
      `span [${showValue(start)}, ${showValue(end)}], expected a place of the text, ` +
        `${text.length} long, that begins at ${before} or behind it`,
    );
}
