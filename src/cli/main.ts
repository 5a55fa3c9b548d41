#!/usr/bin/env node
import './provide-platform.js';
import { addAbortSignal } from 'node:stream';
import { isLemurError } from '../errors.js';
import type { Context } from './context.js';
import { createProgram } from './program.js';
import { createReporter } from './progress.js';
import { CommanderError } from './vendor.js';

const INTERRUPTED = 130;
const USAGE = 2;

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
  // commander has printed its message already; help and version end here as well
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE;
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`lemur: ${message}\n`);
  const wanted = process.env.LEMUR_DEBUG === '1';
  if (wanted) console.error(error);
  else if (!isLemurError(error) && !isSystemError(error)) process.stderr.write('(LEMUR_DEBUG=1 shows where)\n');
  process.exit(1);
}

/** No permission, a full disk and the like: the message says it all. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
