import { escapeControls, escapeLines } from '../escape-controls.js';

/** Around what is shown bold; two characters that no text has, and `shown` lets none through. */
const [BEGIN, END] = ['\ufdd0', '\ufdd1'];
const MARKS = /[\ufdd0\ufdd1]/g;

/** Results on standard output. */
export interface Printer {
  /**
   * Lines for people. What is quoted in them is `shown` before; whatever else could steer the
   * terminal is escaped here.
   */
  print(text: string): void;
  /** JSON in which what could steer a terminal is escaped too. */
  printJson(value: unknown, indent?: number): void;
}

export function createPrinter(stream: NodeJS.WritableStream & { isTTY?: boolean }): Printer {
  const [bold, plain] = stream.isTTY ? ['\u001b[1m', '\u001b[22m'] : ['*', '*'];
  return {
    print: (text) =>
      void stream.write(`${escapeLines(text).replaceAll(BEGIN, bold).replaceAll(END, plain)}\n`),
    printJson: (value, indent) =>
      void stream.write(`${escapeLines(JSON.stringify(value, null, indent))}\n`),
  };
}

/**
 * A text from elsewhere (an id, a title, the name of a file or a tensor) within a line for people.
 */
export function shown(text: string): string {
  return escapeControls(text).replace(MARKS, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}

/** Such a text that is a word that matched: bold in a terminal, between asterisks elsewhere. */
export function marked(text: string): string {
  return BEGIN + shown(text) + END;
}
