import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  stdout: string;
  /** The same, when it is no text. */
  bytes: Uint8Array;
  stderr: string;
}

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * Runs the built command in a process of its own. `onOutput` sees the process and what it has
 * written so far. Standard input has `input`, or nothing; with `open` it does not end there.
 */
export function runCli(
  args: readonly string[],
  onOutput?: (child: ChildProcess, stderr: string, stdout: string) => void,
  env: Record<string, string> = {},
  input: string | Uint8Array = '',
  open = false,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, LEMUR_DEBUG: '', ...env },
    });
    const chunks: Buffer[] = [];
    let stderr = '';
    const seen = (): void => onOutput?.(child, stderr, Buffer.concat(chunks).toString());
    child.stdout.on('data', (chunk) => {
      chunks.push(chunk);
      if (onOutput) seen();
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      if (onOutput) seen();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const bytes = Buffer.concat(chunks);
      resolve({ code, stdout: bytes.toString(), bytes, stderr });
    });
    child.stdin.on('error', () => {}); // it may end before it has read all
    child.stdin.write(input);
    if (!open) child.stdin.end();
  });
}

/** A run that must succeed. */
export async function succeed(
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<Outcome> {
  const outcome = await runCli(args, undefined, {}, input);
  if (outcome.code !== 0)
    throw new Error(`lemur ${args.join(' ')}: ${outcome.code}\n${outcome.stderr}`);
  return outcome;
}
