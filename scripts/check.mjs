// All that guards the repository, one after another: tests, lint, the installed package, a browser. Ends with one line that counts them.
//   node scripts/check.mjs [--tested]     --tested: the tests have just run, take their report
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const REPORT = 'dist/test-report.json';
let passed = 0;
let failed = 0;

const run = (command, args) => spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' }).status === 0;

if (!process.argv.includes('--tested')) run('npm', ['test']);
if (existsSync(REPORT)) {
  const report = JSON.parse(readFileSync(REPORT, 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  if (!report.success && report.numFailedTests === 0) failed++;
} else failed++;

for (const [name, command, args] of [
  // what is packed must not hold what an older build left
  ['build', 'node', ['scripts/build.mjs', '--clean']],
  ['lint', 'npm', ['run', '--silent', 'lint']],
  ['installed package', 'node', ['scripts/check-consumers.mjs']],
  ['browser', 'node', ['scripts/check-browser.mjs']],
]) {
  console.log(`\n--- ${name}`);
  if (run(command, args)) passed++;
  else {
    failed++;
    console.log(`${name} failed`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
