// Prints what was checked, runs programs, and keeps the folders that the checks work in.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'lemur-consumers-')));
const strict = process.argv.includes('--strict');
let failures = 0;
let left = 0;

/** Prints one line; what went wrong follows, indented. */
export function check(name, problems) {
  const wrong = [problems].flat().filter(Boolean);
  print(wrong.length ? 'FAILED' : 'ok    ', name, wrong);
  if (wrong.length) failures++;
}

/** Something could not be tried. That is a failure with --strict alone. */
export function skip(name, why) {
  print('left out', name, [why]);
  left++;
  if (strict) failures++;
}

function print(outcome, name, problems) {
  console.log(`${outcome} ${name}`);
  for (const problem of problems)
    console.log(`       ${String(problem).trim().replaceAll('\n', '\n       ')}`);
}

/** Removes the folders and says how it went. Returns the exit code. */
export function finish(name) {
  rmSync(temporary, { recursive: true, force: true });
  console.log(
    `${name}: ${failures} failed, ${left} left out, ${Math.round(performance.now() / 1000)} s`,
  );
  return failures ? 1 : 0;
}

/** Nothing of the npm that runs this script. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) && name !== 'NODE_OPTIONS'),
);

export function run(command, args, cwd, env = environment) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
    shell: process.platform === 'win32',
    env,
  });
  return {
    ok: status === 0,
    stdout: stdout?.trim() ?? '',
    output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`,
    stderr: stderr ?? '',
  };
}

export function folder(name, files = {}) {
  const path = join(temporary, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

/** Installs packages into a folder of their own, running no scripts. */
export function install(path, ...packages) {
  if (!existsSync(join(path, 'package.json')))
    writeFileSync(join(path, 'package.json'), '{ "private": true, "type": "module" }');
  // without a network, npm would wait for a minute each time
  const patience = [
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=5000',
  ];
  return run(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...patience,
      ...packages,
    ],
    path,
  );
}

/** A project with these files and, beside the first, the same installed package. */
export function project(name, files, installed) {
  const path = folder(name, files);
  cpSync(join(installed, 'node_modules'), join(path, 'node_modules'), { recursive: true });
  return path;
}

/** What a program that ranks printed: ten ids, those expected, and nothing else. */
export function rankingProblems({ ok, stdout, stderr, output }, expected = stdout) {
  return [
    !ok && output,
    stderr && `it prints to standard error: ${stderr}`,
    ok &&
      stdout.split(' ').length !== 10 &&
      `${stdout.split(' ').length} ids, expected ten: ${stdout}`,
    ok && stdout !== expected && `got ${stdout}, expected ${expected}`,
  ];
}
