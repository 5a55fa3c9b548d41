// Makes a release: a clean tree, a changelog that has the version, a build from nothing, lint, all
// tests, the API reference, the packed files and their types. Packs, prints what is in the
// package, and says what is left to do by hand.
//   node scripts/release.mjs [--dry-run] [--tested]
// --dry-run: keeps no package; --tested: npm test has just run
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkFiles, MOST_BYTES } from './consumers/package.mjs';
import { checkPublished } from './consumers/published.mjs';
import { check, finish } from './consumers/report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const isDryRun = process.argv.includes('--dry-run');
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const output = (command, args) =>
  spawnSync(command, args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });

checkTree();
checkChangelog();
checkRun('lint', 'npm', 'run', '--silent', 'lint');
if (!process.argv.includes('--tested')) checkRun('tests', 'npm', 'test');
checkRun('API reference', 'npm', 'run', '--silent', 'docs');
checkRun('build', process.execPath, 'scripts/build.mjs', '--clean');
const file = pack();
const code = finish('release');
if (code === 0 && !isDryRun) console.log(`next: git tag v${version} && npm publish ${file}`);
process.exit(code);

function checkRun(what, command, ...args) {
  const options = { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' };
  check(what, spawnSync(command, args, options).status !== 0 && `${command} ${args.join(' ')}`);
}

function checkTree() {
  const changed = output('git', ['status', '--porcelain']).stdout.trim();
  check('the tree is clean', changed && `not committed:\n${changed}`);
  const tagged = output('git', ['tag', '--list', `v${version}`]).stdout.trim();
  check(`v${version} is a new version`, tagged && `the tag ${tagged} is there already`);
}

/** Notes of the version under its own heading, which has a date unless nothing is published. */
function checkChangelog() {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const heading = text.split('\n').find((line) => line.startsWith(`## [${version}]`));
  const dated = /^## \[[^\]]+\] - \d{4}-\d\d-\d\d$/;
  check(`CHANGELOG.md has ${version}`, [
    !heading && `no heading "## [${version}] - DATE"`,
    heading && !isDryRun && !dated.test(heading) && `"${heading}" has no date`,
  ]);
}

function pack() {
  const folder = isDryRun ? mkdtempSync(join(tmpdir(), 'lemur-release-')) : root;
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const packed = output('npm', args);
  if (packed.status !== 0) return check('npm pack', packed.stderr);
  const [{ filename, unpackedSize, files }] = JSON.parse(packed.stdout);
  for (const { path, size } of files) console.log(`${String(size).padStart(9)}  ${path}`);
  const size = `${files.length} files, ${Math.round(unpackedSize / 1000)} kB unpacked`;
  check(`${name}@${version}: ${size}`, unpackedSize > MOST_BYTES && `at most ${MOST_BYTES}`);
  checkFiles(files.map(({ path }) => path));
  checkPublished(join(folder, filename));
  if (isDryRun) rmSync(folder, { recursive: true, force: true });
  return filename;
}
