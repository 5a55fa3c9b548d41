import type { Heading, LineReader, LineRule, ReadLine } from './lines.js';
import type { CutBy } from './passage-rules.js';
import { STRENGTH } from './strength.js';

const NO_HEADINGS: readonly Heading[] = [];

/** What reads the lines of a kind of text; it remembers those before, so each text has its own. */
export function lineReader(by: Exclude<CutBy, 'auto'>): LineReader {
  if (by === 'markdown') return markdownReader();
  return by === 'code' ? readCode : readText;
}

function readText(_line: ReadLine, afterBlank: boolean): LineRule {
  const strength = afterBlank ? STRENGTH.paragraph : STRENGTH.line;
  return { strength, begins: afterBlank, prose: true, path: NO_HEADINGS };
}

/** A line that closes what stands before it. */
const CLOSING = /^\s*(?:[)\]}>]|end\b|else\b|elif\b|except\b|catch\b|finally\b|fi\b|done\b|esac\b)/;
const TAB = 4;

/** The less a line is indented, the better is the place before it, best behind a blank line. */
function readCode({ head }: ReadLine, afterBlank: boolean): LineRule {
  let indent = 0;
  for (const char of /^\s*/.exec(head)?.[0] ?? '') indent += char === '\t' ? TAB : 1;
  const open = afterBlank
    ? STRENGTH.heading - Math.min(indent, 40)
    : STRENGTH.paragraph - Math.min(indent, 40);
  const strength = CLOSING.test(head) ? STRENGTH.space : open;
  return { strength, begins: afterBlank, prose: false, path: NO_HEADINGS };
}

const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const CLOSED = /[ \t]+#+[ \t]*$/;
/** A line that makes a heading of the one above it. */
const UNDERLINE = /^ {0,3}(=+|-{2,})\s*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s|^\s*\|/;
const RULE = /^---\s*$/;

/** What is open where a line of Markdown begins. */
interface MarkdownState {
  path: readonly Heading[];
  /** The characters that close a block of code, or `---` for what is before the text. */
  fence: string | undefined;
  /** Whether the line before is a heading, or its underline is still to come. */
  below: 'heading' | 'underline' | undefined;
}

function markdownReader(): LineReader {
  const state: MarkdownState = { path: NO_HEADINGS, fence: undefined, below: undefined };
  return (line, afterBlank, next) => {
    const { below } = state;
    state.below = below === 'underline' ? 'heading' : undefined;
    const code = codeLine(state, line, afterBlank, next);
    const rule =
      code ?? headingLine(state, line, afterBlank, next) ?? proseLine(state, line, afterBlank);
    return below === undefined ? rule : { ...rule, strength: STRENGTH.belowHeading };
  };
}

/** Lines of fenced code, and of what stands before the text between two `---`. */
function codeLine(
  state: MarkdownState,
  { start, head }: ReadLine,
  afterBlank: boolean,
  next: ReadLine | undefined,
): LineRule | undefined {
  const { path } = state;
  const rule = (strength: number, begins: boolean): LineRule => ({
    strength,
    begins,
    prose: false,
    path,
  });
  if (state.fence !== undefined) {
    const closes = state.fence === '---' ? RULE.test(head) : head.trim().startsWith(state.fence);
    if (closes) state.fence = undefined;
    return rule(closes ? STRENGTH.space : afterBlank ? STRENGTH.sentence : STRENGTH.line, false);
  }
  const opened =
    FENCE.exec(head)?.[1] ?? (start === 0 && next && RULE.test(head) ? '---' : undefined);
  if (opened === undefined) return undefined;
  state.fence = opened;
  return rule(afterBlank ? STRENGTH.paragraph : STRENGTH.item, true);
}

function headingLine(
  state: MarkdownState,
  { head }: ReadLine,
  afterBlank: boolean,
  next: ReadLine | undefined,
): LineRule | undefined {
  const hashes = HEADING.exec(head);
  const underline = afterBlank && next && !ITEM.test(head) ? UNDERLINE.exec(next.head) : null;
  if (!hashes && !underline) return undefined;
  const level = hashes ? hashes[1].length : underline?.[1][0] === '=' ? 1 : 2;
  const title = (hashes ? (hashes[2] ?? '').replace(CLOSED, '') : head).trim();
  const above = state.path.filter((heading) => heading.level < level);
  state.path = title === '' ? above : [...above, { level, title }];
  state.below = hashes ? 'heading' : 'underline';
  // the heading itself stands below those above it
  return { strength: STRENGTH.heading - level, begins: true, prose: false, path: above };
}

function proseLine({ path }: MarkdownState, { head }: ReadLine, afterBlank: boolean): LineRule {
  const isItem = ITEM.test(head);
  const strength = afterBlank ? STRENGTH.paragraph : isItem ? STRENGTH.item : STRENGTH.space;
  return { strength, begins: afterBlank || isItem, prose: true, path };
}
