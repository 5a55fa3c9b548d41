#!/usr/bin/env node
import './provide-platform.js';
import { addAbortSignal } from 'node:stream';
import type { Context } from './context.js';
import { describeFailure } from './failure.js';
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
// `lemur eval … | head` closes our output before its end
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  fail(error);
});

const context: Context = {
  signal: interruption.signal,
  reporter: createReporter(process.stderr),
  print: (text) => void process.stdout.write(`${text}\n`),
  openInput: () => addAbortSignal(interruption.signal, process.stdin),
  inputIsTerminal: process.stdin.isTTY === true,
};
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
  if (process.env.LEMUR_DEBUG === '1') console.error(error);
  process.exit(1);
}
