/** A heading that is above a place of a text. */
export interface Heading {
  readonly level: number;
  readonly title: string;
}

/** A line, and how good it is to cut before it. */
export interface Line {
  readonly start: number;
  /** Behind its end, `\n` included. */
  readonly end: number;
  readonly strength: number;
}

/** Lines that belong together, with the blank ones behind them. */
export interface Block {
  readonly lines: Line[];
  /** Whether it has sentences. */
  readonly prose: boolean;
  /** Headings above it, outermost first. */
  readonly path: readonly Heading[];
}

/** Characters that a block has before another one begins at the next line. */
const MOST_CHARACTERS = 8192;
const MOST_LINES = 512;
/** Characters of a line that are looked at. */
const LOOKED_AT = 400;

/** A line as it is read, before it is known how good it is to cut before it. */
export interface ReadLine {
  readonly start: number;
  readonly end: number;
  /** Its beginning, without its end. */
  readonly head: string;
  /** Whether it has nothing but spaces. */
  readonly blank: boolean;
}

/** The lines of a text, ended by `\n` or `\r\n`. */
export function* readLines(text: string): Generator<ReadLine, void, void> {
  const ink = /\S/g;
  /** The first place from `start` on that is no space. */
  let next = -1;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline + 1;
    if (next < start) {
      ink.lastIndex = start;
      next = ink.exec(text)?.index ?? text.length;
    }
    // a mark of the byte order is no part of what the first line says
    const from = start === 0 && text[0] === '\ufeff' ? 1 : start;
    const head = text.slice(from, Math.min(end, start + LOOKED_AT)).trimEnd();
    yield { start, end, head, blank: next >= end };
    start = end;
  }
}

/** What a kind of text says of a line that is not blank. */
export interface LineRule {
  readonly strength: number;
  /** Whether a block begins with it. */
  readonly begins: boolean;
  readonly prose: boolean;
  readonly path: readonly Heading[];
}

/** Reads lines one by one; `afterBlank`: the line before is blank, or there is none. */
export type LineReader = (
  line: ReadLine,
  afterBlank: boolean,
  next: ReadLine | undefined,
) => LineRule;

/** The blocks of a text, which have all its lines. */
export function* blocksOf(text: string, read: LineReader): Generator<Block, void, void> {
  const lines = readLines(text);
  let block: Block | undefined;
  let afterBlank = true;
  let following = lines.next();
  while (!following.done) {
    const line = following.value;
    following = lines.next();
    const rule = line.blank ? undefined : read(line, afterBlank, following.value ?? undefined);
    const full =
      block !== undefined &&
      (block.lines.length >= MOST_LINES || line.end - block.lines[0].start > MOST_CHARACTERS);
    if (block && (full || rule?.begins || (rule && rule.prose !== block.prose))) {
      yield block;
      block = undefined;
    }
    const { start, end } = line;
    block ??= { lines: [], prose: rule?.prose ?? false, path: rule?.path ?? [] };
    // blank ones go with what is before them
    block.lines.push({ start, end, strength: rule?.strength ?? 0 });
    afterBlank = line.blank;
  }
  if (block) yield block;
}
