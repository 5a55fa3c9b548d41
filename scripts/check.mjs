// All that guards the repository, one stage after another: the tests, here and on a newer Node, the
// long ones, lint, the installed package, a browser. Prints the minutes of each stage, and ends
// with one line that counts.
//   node scripts/check.mjs [--tested MINUTES]
// --tested: npm test has just run, in so many minutes; take its report
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeOf } from './node-of.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
/** Beside the Node that runs this. */
const NEWER = 24;
const VITEST = 'node_modules/vitest/vitest.mjs';
/** What vitest.config.ts has it write. */
const REPORT = 'dist/test-report.json';

let passed = 0;
let failed = 0;
const minutes = [];
/** What failed, said again at the end, where it is seen. */
const failures = [];

const run = (command, args) =>
  spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' }).status === 0;

/**
 * Runs a stage, notes its minutes, and counts it: tests one by one, by their report, anything else
 * as one.
 */
function stage(name, command, args, areTests = false) {
  console.log(`\n--- ${name}`);
  if (areTests) rmSync(REPORT, { force: true });
  const begun = performance.now();
  const ok = run(command, args);
  minutes.push([name, (performance.now() - begun) / 60_000]);
  if (areTests) count(name, ok);
  else if (ok) passed++;
  else {
    failed++;
    failures.push(name);
  }
}

function count(name, ok) {
  if (!existsSync(REPORT)) {
    failed++;
    failures.push(`${name}: no report`);
    return;
  }
  const report = JSON.parse(readFileSync(REPORT, 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  for (const file of report.testResults) failures.push(...failuresOf(name, file));
  // a file that does not load fails without a test
  if (!(ok && report.success) && report.numFailedTests === 0) {
    failed++;
    failures.push(`${name}: a file that does not load, or an error outside of tests`);
  }
}

function failuresOf(name, file) {
  const tests = file.assertionResults.filter(({ status }) => status === 'failed');
  if (file.status === 'failed' && tests.length === 0)
    return [`${name}: ${file.name}: ${file.message}`];
  return tests.map(
    ({ fullName, failureMessages: [message] }) =>
      `${name}: ${file.name}: ${fullName}\n  ${message?.split('\n')[0]}`,
  );
}

/** A project of vitest.config.ts. */
const tests = (project) => [VITEST, 'run', '--project', project];

const tested = process.argv.indexOf('--tested');
if (tested < 0) stage('tests', 'npm', ['test'], true);
else {
  minutes.push(['tests', Number(process.argv[tested + 1])]);
  count('tests', true);
}
stage('long tests', process.execPath, tests('long'), true);
const newer = nodeOf(NEWER);
stage(`tests on Node ${NEWER}`, newer, tests('!long'), true);
// of the long ones the one that this Node skips
const merging = [VITEST, 'run', 'test/cli/merging.long'];
stage(`merged kernels on Node ${NEWER}`, newer, merging, true);
// it leaves more in dist/ than is packed
stage('types', 'npm', ['run', '--silent', 'typecheck']);
// what is packed must not hold what an older build left
stage('build', process.execPath, ['scripts/build.mjs', '--clean']);
stage('lint', 'npm', ['run', '--silent', 'lint']);
stage('API reference', 'npm', ['run', '--silent', 'docs']);
stage('installed package', process.execPath, ['scripts/check-consumers.mjs']);
stage('browser', process.execPath, ['scripts/check-browser.mjs']);

for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`\nminutes: ${minutes.map(([name, took]) => `${name} ${took.toFixed(1)}`).join(', ')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
