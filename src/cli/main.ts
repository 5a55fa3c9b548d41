#!/usr/bin/env node
import './provide-platform.js';
import { addAbortSignal } from 'node:stream';
import { inspect } from 'node:util';
import { escapeLines } from '../escape-controls.js';
import type { Context } from './context.js';
import { describeFailure } from './failure.js';
import { createPrinter } from './print.js';
import { createProgram } from './program.js';
import { createReporter } from './progress.js';

const INTERRUPTED = 130;

const interruption = new AbortController();
// asked once: stop where nothing is half-written; again, a second later: at once (sooner it is npm's copy of the same keystroke)
let asked = 0;
process.on('SIGINT', () => {
  if (asked === 0) {
    asked = Date.now();
    interruption.abort();
  } else if (Date.now() > asked + 1000) {
    process.removeAllListeners('SIGINT');
    process.kill(process.pid, 'SIGINT');
  }
});
// nobody is there to be told
process.stderr.on('error', () => {});
// `lemur eval … | head` closes our output before its end
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  fail(error);
});

const context: Context = {
  signal: interruption.signal,
  reporter: createReporter(process.stderr),
  ...createPrinter(process.stdout),
  openInput: () => addAbortSignal(interruption.signal, process.stdin),
  inputIsTerminal: process.stdin.isTTY === true,
};
// nothing should come this way; what does is printed as all else is
process.on('uncaughtException', fail);
createProgram(context).parseAsync().catch(fail);

function fail(error: unknown): void {
  if (interruption.signal.aborted) {
    process.stderr.write('interrupted\n');
    process.exit(INTERRUPTED);
  }
  const { exitCode, line } = describeFailure(error);
  process.stderr.write(line);
  if (exitCode !== 1) {
    process.exitCode = exitCode;
    return;
  }
  if (process.env.LEMUR_DEBUG === '1') process.stderr.write(`${escapeLines(inspect(error))}\n`);
  process.exit(1);
}
