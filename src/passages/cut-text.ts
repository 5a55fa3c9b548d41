import { LineNumbers } from './line-numbers.js';
import { lineReader } from './line-readers.js';
import type { Heading } from './lines.js';
import type { CutBy } from './passage-rules.js';
import { type CountTokens, TokenCounter } from './token-counter.js';
import { partsOfUnit, type Unit, unitsOf } from './units.js';

/** A part of a text that is encoded by itself. */
export interface TextPassage {
  /** Headings above it, a line each, and what stands in the text. */
  readonly text: string;
  /** How many characters of `text` are headings; undefined: it is not what stands in the text. */
  readonly context: number | undefined;
  /** Where it stands in the text: [start, end) in UTF-16 code units. */
  readonly span: readonly [number, number];
  /** First and last line of what stands there, from 1 on. */
  readonly lines: readonly [number, number];
}

/** How a text is cut. */
export interface CutRules {
  readonly by: Exclude<CutBy, 'auto'>;
  readonly size: number;
  readonly overlap: number;
}

/** Of a passage's tokens, those that its headings may take. */
const CONTEXT_SHARE = 1 / 4;
/** A passage is cut where it is best behind this part of it. */
const LEAST_FULL = 1 / 2;

/**
 * Cuts a text into passages of at most `size` tokens, in order, whose spans cover it: at headings,
 * paragraphs, sentences, never within a word that is not longer than a passage, never within a
 * grapheme. Each word is counted once; each passage as a whole, since words may have fewer tokens
 * alone. Memory: some passages. Gives way to other work; rejects with the signal's reason, and with
 * what counting rejects with.
 */
export async function* cutText(
  text: string,
  { by, size, overlap }: CutRules,
  count: CountTokens,
  signal?: AbortSignal | undefined,
): AsyncGenerator<TextPassage, void, void> {
  const counter = new TokenCounter(count);
  const units = unitsOf(text, lineReader(by), counter, size, signal);
  const lines = new LineNumbers(text);
  let waiting: Unit[] = [];
  /** Of those that wait, how many the passage before has too. */
  let repeated = 0;
  let ended = false;
  /** Tokens of those that wait. */
  let sum = 0;
  const drop = (count: number): void => {
    sum -= tokensOf(waiting.slice(0, count));
    waiting = waiting.slice(count);
  };
  for (;;) {
    while (!ended && sum <= 2 * size) {
      const more = await units.next();
      if (more.done) ended = true;
      else {
        waiting = waiting.concat(more.value);
        sum += tokensOf(more.value);
      }
    }
    if (waiting.length <= repeated) break;
    const passage = await bestPassage(text, waiting, repeated, ended, size, counter);
    if (!passage) {
      // what is repeated leaves no room for more
      drop(repeated);
      repeated = 0;
      continue;
    }
    const { units: taken, context } = passage;
    const parts =
      passage.tokens > size
        ? await partsOfUnit(text, waiting[0], passage.tokens, counter, size)
        : [];
    if (parts.length > 1) {
      drop(1);
      waiting = parts.concat(waiting);
      sum += tokensOf(parts);
      continue;
    }
    const span = [waiting[0].start, waiting[taken - 1].end] as const;
    const own = text.slice(...span);
    yield { text: context + own, context: context.length, span, lines: lines.of(span, own) };
    const next = repeatedFrom(waiting, taken, overlap);
    repeated = taken - next;
    drop(next);
  }
  if (lines.isNew) yield { text, context: 0, span: [0, text.length], lines: lines.of([0, 0], '') };
}

function tokensOf(units: readonly Unit[]): number {
  let sum = 0;
  for (const { tokens } of units) sum += tokens;
  return sum;
}

/**
 * How many of the units make the next passage, the headings before it and their tokens, too many
 * only where it is one unit; undefined: not even one more than those that are repeated.
 */
async function bestPassage(
  text: string,
  units: readonly Unit[],
  repeated: number,
  ended: boolean,
  size: number,
  counter: TokenCounter,
): Promise<{ units: number; context: string; tokens: number } | undefined> {
  const { context: above, tokens } = await contextOf(units[0].path, size * CONTEXT_SHARE, counter);
  let context = above;
  for (let room = size - tokens; ; ) {
    const taken = bestEnd(units, repeated, ended, room);
    if (taken <= repeated) return undefined;
    const body = text.slice(units[0].start, units[taken - 1].end);
    const whole = await counter.ofText(context + body);
    if (whole <= size) return { units: taken, context, tokens: whole };
    const least = units[0].tokens;
    const less = Math.min(room - (whole - size), tokensOf(units.slice(0, taken)) - 1);
    if (taken > 1 && room > least) room = Math.max(least, less);
    else if (repeated > 0) return undefined;
    else if (context === '') return { units: 1, context, tokens: whole };
    else {
      // a word that leaves no room for headings
      context = '';
      room = size;
    }
  }
}

/**
 * How many units make a passage of at most `room` tokens: up to the best place in its second half,
 * of equal ones the last; at least one.
 */
function bestEnd(units: readonly Unit[], repeated: number, ended: boolean, room: number): number {
  let sum = units[0].tokens;
  let best = 1;
  let strength = -1;
  for (let i = 1; i < units.length; i++) {
    // here the passage may end
    const here = units[i].strength;
    if (i > repeated && (sum < room * LEAST_FULL || here >= strength)) {
      best = i;
      strength = sum < room * LEAST_FULL ? -1 : here;
    }
    sum += units[i].tokens;
    if (sum > room) return best;
  }
  return ended && sum <= room ? units.length : best;
}

/** Of the units of a passage, the one that the next begins with: the best of those that fit. */
function repeatedFrom(units: readonly Unit[], taken: number, overlap: number): number {
  let next = taken;
  let sum = 0;
  for (let i = taken - 1; i > 0; i--) {
    sum += units[i].tokens;
    if (sum > overlap) break;
    if (next === taken || units[i].strength >= units[next].strength) next = i;
  }
  return next;
}

/** Of the headings above a passage the inner ones that fit, a line each, and their tokens. */
async function contextOf(
  path: readonly Heading[],
  room: number,
  counter: TokenCounter,
): Promise<{ context: string; tokens: number }> {
  const titles = path.map(({ title }) => title);
  const counts = await counter.ofWords(titles);
  let first = titles.length;
  let tokens = 0;
  while (first > 0 && tokens + counts[first - 1] <= room) tokens += counts[--first];
  return {
    context: titles
      .slice(first)
      .map((title) => `${title}\n`)
      .join(''),
    tokens,
  };
}
