import { Readable } from 'node:stream';
import '../../dist/cli/provide-platform.js';
import { describeFailure } from '../../dist/cli/failure.js';
import { createPrinter } from '../../dist/cli/print.js';
import { createProgram } from '../../dist/cli/program.js';
import { createReporter } from '../../dist/cli/progress.js';

// stacks are not asked for here, whatever the caller's environment says
process.env.LEMUR_DEBUG = '';

export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs the command line here instead of in a process of its own, which takes a hundredth of the
 * time. Commands that `mayRun` does not name are parsed like the others, but do nothing: no demo
 * begins, whatever the arguments.
 */
export async function runInProcess(
  args: readonly string[],
  mayRun: readonly string[],
): Promise<Outcome> {
  const outcome: Outcome = { exitCode: 0, stdout: '', stderr: '' };
  const out = process.stdout.write;
  const err = process.stderr.write;
  const keep = (stream: 'stdout' | 'stderr') => (text: string | Uint8Array) => {
    outcome[stream] += text;
    return true;
  };
  process.stdout.write = keep('stdout');
  process.stderr.write = keep('stderr');
  try {
    const program = createProgram({
      signal: new AbortController().signal,
      reporter: createReporter(process.stderr),
      ...createPrinter(process.stdout),
      openInput: () => Readable.from([]),
      inputIsTerminal: false,
      openPrompt: () => Readable.from([]),
    });
    for (const command of program.commands)
      if (!mayRun.includes(command.name())) command.action(() => {});
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    const { exitCode, line } = describeFailure(error);
    outcome.exitCode = exitCode;
    outcome.stderr += line;
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
  }
  return outcome;
}

/**
 * Throws unless the command ended as it should: its own errors with 1 and one line, usage errors
 * with 2, and never with a stack.
 */
export function checkOutcome({ exitCode, stdout, stderr }: Outcome): void {
  const wrong = (what: string): Error =>
    new Error(
      `${what}: exit code ${exitCode}, standard error ${JSON.stringify(stderr.slice(-1000))}`,
    );
  if (/\n {4}at /.test(stderr + stdout)) throw wrong('a stack');
  if (exitCode === 1 && stderr.includes('LEMUR_DEBUG')) throw wrong('an error that is not ours');
  if (exitCode === 1 && !/^lemur: [^\n]+\n$/m.test(stderr)) throw wrong('not one line');
  if (exitCode === 1 && stdout !== '') throw wrong('output before an error');
  if (exitCode === 2 && !/^error: |^Usage: /.test(stderr)) throw wrong('no usage error');
  if (exitCode === 0 && stdout === '') throw wrong('no output');
  if (![0, 1, 2].includes(exitCode)) throw wrong('another exit code');
}
