import { stepPacer } from '../pacer.js';
import { graphemeBreaks, isGraphemeBreak, wordBreaks, wordSegmenter } from './graphemes.js';
import { type Block, blocksOf, type LineReader } from './lines.js';
import { type Piece, piecesOf } from './pieces.js';
import { STRENGTH } from './strength.js';
import type { TokenCounter } from './token-counter.js';

/** A piece of a text with its number of tokens. */
export interface Unit extends Piece {
  readonly tokens: number;
}

/**
 * Characters that count as a token at least: tokenizers read no more of a text for each token that
 * is wanted.
 */
const CHARACTERS_A_TOKEN = 64;
/** Pieces, and their characters, that are counted in one go. */
const PIECES_AT_ONCE = 512;
const CHARACTERS_AT_ONCE = 4096;
/** Characters that count as a step between two turns of the event loop. */
const STEP_CHARACTERS = 16;

/** The pieces of a text with their tokens, some at a time; none has more than `most` if it can. */
export async function* unitsOf(
  text: string,
  read: LineReader,
  counter: TokenCounter,
  most: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Unit[], void, void> {
  const step = stepPacer(signal);
  let pieces: Piece[] = [];
  for (const piece of piecesOfBlocks(text, blocksOf(text, read), most)) {
    pieces.push(piece);
    const wait = step(1 + (piece.end - piece.start) / STEP_CHARACTERS);
    if (wait) await wait;
    const characters = piece.end - pieces[0].start;
    if (pieces.length < PIECES_AT_ONCE && characters < CHARACTERS_AT_ONCE) continue;
    yield await countedUnits(text, pieces, counter, most);
    pieces = [];
  }
  if (pieces.length > 0) yield await countedUnits(text, pieces, counter, most);
}

function* piecesOfBlocks(
  text: string,
  blocks: Iterable<Block>,
  most: number,
): Generator<Piece, void, void> {
  for (const block of blocks) yield* piecesOf(text, block, most * CHARACTERS_A_TOKEN);
}

/** Parts of a unit that has more tokens where it stands than was counted; one: it has none. */
export async function partsOfUnit(
  text: string,
  unit: Unit,
  tokens: number,
  counter: TokenCounter,
  most: number,
): Promise<Unit[]> {
  const parts = partsOf(text, unit, tokens, most, unit.tokens > most);
  return parts.length > 1 ? countedUnits(text, parts, counter, most) : [unit];
}

/** Pieces with their tokens; longer ones than a passage are cut between words, or graphemes. */
async function countedUnits(
  text: string,
  pieces: readonly Piece[],
  counter: TokenCounter,
  most: number,
): Promise<Unit[]> {
  const counts = await counter.ofWords(pieces.map((piece) => wordOf(text, piece)));
  const units: Unit[] = [];
  for (const [i, piece] of pieces.entries()) {
    // the space before a word is no reason to cut it
    if (counts[i] > most)
      [counts[i]] = await counter.ofWords([text.slice(piece.start, piece.end).trim()]);
    const tokens = Math.max(counts[i], (piece.end - piece.start) / CHARACTERS_A_TOKEN);
    const parts = tokens > most ? partsOf(text, piece, tokens, most, counts[i] > most) : [];
    if (parts.length > 1) units.push(...(await countedUnits(text, parts, counter, most)));
    else
      units.push({
        start: piece.start,
        end: piece.end,
        strength: piece.strength,
        path: piece.path,
        tokens,
      });
  }
  return units;
}

/** As tokenizers that look at the space before a word see it. */
function wordOf(text: string, { start, end }: Piece): string {
  const word = text.slice(start, end).trim();
  return start > 0 && /\s/.test(text[start - 1]) ? ` ${word}` : word;
}

/**
 * Parts of a piece: its words, or if it is one, what has about half of `most` tokens each, of whole
 * graphemes. `isLong`: its tokens are not those of the spaces around it.
 */
function partsOf(
  text: string,
  piece: Piece,
  tokens: number,
  most: number,
  isLong: boolean,
): Piece[] {
  const { start, end } = piece;
  const own = text.slice(start, end);
  const words = [...wordBreaks(own, 0, own.length)];
  if (words.length === 0 && !isLong)
    for (const { index } of wordSegmenter.segment(own)) if (index > 0) words.push(index);
  let last = 0;
  const whole = words.filter((at) => {
    const isBreak = isGraphemeBreak(own, at, last);
    if (isBreak) last = at;
    return isBreak;
  });
  if (whole.length > 0) return cutAt(piece, whole, STRENGTH.word);
  const size = Math.max(1, Math.floor((own.length * most) / (2 * tokens)));
  return cutAt(piece, spaced(graphemeBreaks(own), own.length, size), STRENGTH.grapheme);
}

/** Of ascending places those that make parts of `size` at most, or of one step each. */
function spaced(places: readonly number[], end: number, size: number): number[] {
  const chosen: number[] = [];
  let from = 0;
  for (const [i, at] of places.entries())
    if ((places[i + 1] ?? end) - from > size) {
      chosen.push(at);
      from = at;
    }
  return chosen;
}

function cutAt({ start, end, strength, path }: Piece, places: number[], within: number): Piece[] {
  return [0, ...places].map((at, i) => ({
    start: start + at,
    end: i < places.length ? start + places[i] : end,
    strength: i === 0 ? strength : within,
    path,
  }));
}
