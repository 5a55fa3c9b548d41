import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { LineLimit } from './line-limit.js';
import { keepQuestion, readQuestions } from './question-history.js';

export interface PromptOptions {
  input: Readable;
  /** Where the prompt and what is typed are shown; answers go elsewhere. */
  output: Writable;
  /** The file of earlier questions. */
  history: string;
  signal: AbortSignal;
  /** Ctrl-C while a question is being answered. */
  interrupt: () => void;
}

/** Questions that the arrow keys bring back. */
const KEPT = 500;
/** Characters of a line; longer ones come from standard input. */
const MOST_CHARACTERS = 8192;

/**
 * The questions that a person types, one after the other; the arrow keys bring earlier ones. Ends
 * with Ctrl-D, with Ctrl-C on an empty line (a line that was begun is given up by it), and with
 * `exit` or `quit`. Ends too once `signal` is aborted.
 */
export async function* promptedQuestions(options: PromptOptions): AsyncGenerator<string> {
  const { input, output, history, signal, interrupt } = options;
  const typed = new LineLimit(input, MOST_CHARACTERS);
  const lines = createInterface({
    input: typed,
    output,
    terminal: true,
    prompt: '? ',
    history: await readQuestions(history, KEPT),
    historySize: KEPT,
    removeHistoryDuplicates: true,
    signal,
  });
  let answering = false;
  lines.on('SIGINT', () => {
    if (answering) interrupt();
    else if (lines.line === '') lines.close();
    else lines.write(null, { ctrl: true, name: 'u' });
  });
  try {
    lines.prompt();
    for await (const line of lines) {
      const question = line.trim();
      if (question === 'exit' || question === 'quit') break;
      if (line.length >= MOST_CHARACTERS) {
        output.write(`not asked: a line of ${MOST_CHARACTERS} characters or more\n`);
      } else if (question !== '') {
        await keepQuestion(history, question);
        answering = true;
        yield question;
        answering = false;
      }
      lines.prompt();
    }
  } finally {
    lines.close();
    typed.release();
    // the shell's own prompt begins a line
    output.write('\n');
  }
}
