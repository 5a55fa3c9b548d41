import { stepPacer } from '../pacer.js';
import { graphemeBreaks } from './graphemes.js';
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
  for (const piece of piecesOfBlocks(text, blocksOf(text, read))) {
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

function* piecesOfBlocks(text: string, blocks: Iterable<Block>): Generator<Piece, void, void> {
  for (const block of blocks) yield* piecesOf(text, block);
}

/** Pieces with their tokens; longer ones than a passage are cut between graphemes. */
async function countedUnits(
  text: string,
  pieces: readonly Piece[],
  counter: TokenCounter,
  most: number,
): Promise<Unit[]> {
  const counts = await counter.ofWords(pieces.map((piece) => wordOf(text, piece)));
  const units: Unit[] = [];
  for (const [i, piece] of pieces.entries()) {
    const tokens = Math.max(counts[i], (piece.end - piece.start) / CHARACTERS_A_TOKEN);
    const parts = tokens > most ? partsOf(text, piece, tokens, most) : [];
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

/** Parts of a piece that have about half of `most` tokens each, of whole graphemes. */
function partsOf(text: string, piece: Piece, tokens: number, most: number): Piece[] {
  const { start, end, path } = piece;
  const size = Math.max(1, Math.floor(((end - start) * most) / (2 * tokens)));
  const parts: Piece[] = [];
  let from = start;
  for (const at of [...graphemeBreaks(text.slice(start, end)), end - start]) {
    if (start + at < end && start + at - from < size) continue;
    const strength = from === start ? piece.strength : STRENGTH.grapheme;
    parts.push({ start: from, end: start + at, strength, path });
    from = start + at;
  }
  return parts;
}
