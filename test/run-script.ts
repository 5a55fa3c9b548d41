import { execFile } from 'node:child_process';

/** The built package, as an import of a script. */
export const LEMUR: string = JSON.stringify(new URL('../dist/entry/node.js', import.meta.url).href);

/** A file of the build, as an import of a script. */
export const built = (path: string): string =>
  JSON.stringify(new URL(`../dist/${path}`, import.meta.url).href);

export interface Outcome {
  /** Exit code; null when it had to be ended after 30 seconds. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs an ES module in a Node of its own. */
export function runScript(source: string, ...args: string[]): Promise<Outcome> {
  return runScriptWith([], source, ...args);
}

/** The same with flags for Node or its engine. */
export function runScriptWith(
  flags: string[],
  source: string,
  ...args: string[]
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...flags, '--input-type=module', '-e', source, ...args],
      { timeout: 30_000, killSignal: 'SIGKILL' },
      (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout: stdout.trim(), stderr: stderr.trim() }),
    );
  });
}
