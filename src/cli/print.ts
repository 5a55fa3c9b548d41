import { escapeControls, escapeLines } from '../escape-controls.js';

/** Around what is shown bold; two characters that no text has, and `shown` lets none through. */
const [BEGIN, END] = ['\ufdd0', '\ufdd1'];
const MARKS = /[\ufdd0\ufdd1]/g;

/** Where a line has no terminal to fit. */
const COLUMNS = 80;

/** Results on standard output. */
export interface Printer {
  /**
   * Lines for people. What is quoted in them is `shown` before; whatever else could steer the
   * terminal is escaped here.
   */
  print(text: string): void;
  /** JSON in which what could steer a terminal is escaped too. */
  printJson(value: unknown, indent?: number): void;
  /** Columns of a line: the terminal's, 80 where there is none. */
  readonly columns: number;
}

export function createPrinter(
  stream: NodeJS.WritableStream & { isTTY?: boolean; columns?: number },
): Printer {
  const [begin, end] = stream.isTTY ? marksOf(process.env.NO_COLOR) : ['*', '*'];
  return {
    print: (text) =>
      void stream.write(`${escapeLines(text).replaceAll(BEGIN, begin).replaceAll(END, end)}\n`),
    columns: (stream.isTTY && stream.columns) || COLUMNS,
    printJson: (value, indent) =>
      void stream.write(`${escapeLines(JSON.stringify(value, null, indent))}\n`),
  };
}

/** Around what matched: bold and yellow, bold alone where NO_COLOR is set. */
function marksOf(noColor: string | undefined): readonly [string, string] {
  return noColor ? ['\u001b[1m', '\u001b[22m'] : ['\u001b[1;33m', '\u001b[22;39m'];
}

/**
 * A text from elsewhere (an id, a title, the name of a file or a tensor) within a line for people.
 */
export function shown(text: string): string {
  return escapeControls(text).replace(MARKS, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}

/**
 * Such a text that is a word that matched: bold and yellow in a terminal, between asterisks
 * elsewhere.
 */
export function marked(text: string): string {
  return BEGIN + shown(text) + END;
}
