#!/usr/bin/env node
import './provide-platform.js';
import { join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { inspect } from 'node:util';
import { userCache } from '../bytes/node-user-cache.js';
import { escapeLines } from '../escape-controls.js';
import type { Context } from './context.js';
import { describeFailure } from './failure.js';
import { preferMerging } from './merging.js';
import { createPrinter } from './print.js';
import { createProgram } from './program.js';
import { createReporter } from './progress.js';
import { promptedQuestions } from './prompt.js';

/** By what ended it, as shells number them. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;
/** npm passes the same keystroke on. */
const SAME_KEYSTROKE_MS = 250;

preferMerging();
const interruption = new AbortController();
let asked: { signal: keyof typeof INTERRUPTED; at: number } | undefined;
// asked once: stop where nothing is half-written; again: at once
function interrupt(signal: keyof typeof INTERRUPTED): void {
  if (!asked) {
    asked = { signal, at: Date.now() };
    interruption.abort();
  } else if (signal !== asked.signal || Date.now() > asked.at + SAME_KEYSTROKE_MS) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
}
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
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
  openPrompt: () =>
    promptedQuestions({
      input: process.stdin,
      output: process.stderr,
      history: join(userCache(), 'questions'),
      signal: interruption.signal,
      interrupt: () => interrupt('SIGINT'),
    }),
};
// nothing should come this way; what does is printed as all else is
process.on('uncaughtException', fail);
createProgram(context).parseAsync().catch(fail);

function fail(error: unknown): void {
  if (asked) {
    process.stderr.write('interrupted\n');
    process.exit(INTERRUPTED[asked.signal]);
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
