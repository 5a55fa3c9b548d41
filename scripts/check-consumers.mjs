// The package as its users get it: packed, installed in empty folders; run by Node, Bun, Deno and
// workerd, bundled by Vite, webpack and esbuild for Chromium, by esbuild and Next.js for Node,
// compiled by several TypeScripts. Every consumer ranks the same ids. One line a check; exits with
// 1 when one failed.
//   node scripts/check-consumers.mjs [--strict]
// --strict: what cannot be installed here is a failure too
import { join } from 'node:path';
import { checkBundlers } from './consumers/bundlers.mjs';
import { checkEdge } from './consumers/edge.mjs';
import { checkEncoder } from './consumers/encoder.mjs';
import { checkFiles, checkInstalled, MOST_BYTES } from './consumers/package.mjs';
import { checkPrograms } from './consumers/programs.mjs';
import { checkPublished } from './consumers/published.mjs';
import {
  check,
  finish,
  folder,
  install,
  project,
  root,
  run,
  temporary,
} from './consumers/report.mjs';
import { checkCommand, checkNode, checkOtherRuntimes } from './consumers/runtimes.mjs';
import { IMPORTING, REQUIRING, WITH_INIT } from './consumers/sources.mjs';
import { installTools } from './consumers/tools.mjs';
import { checkTypes } from './consumers/types.mjs';

try {
  await checkAll();
} catch (error) {
  check('the check itself', error.stack);
}
process.exit(finish('consumers'));

async function checkAll() {
  const packed = run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', temporary],
    root,
  );
  if (!packed.ok) return check('npm pack', packed.output);
  const [{ filename, unpackedSize, files }] = JSON.parse(packed.stdout);
  const tarball = join(temporary, filename);
  check(
    `${files.length} files, ${Math.round(unpackedSize / 1000)} kB unpacked, ` +
      `at most ${MOST_BYTES / 1000}`,
    unpackedSize > MOST_BYTES && 'too large',
  );
  checkFiles(files.map((file) => file.path));
  checkPublished(tarball);

  const esm = folder('esm', { 'main.js': IMPORTING, 'init.js': WITH_INIT });
  const installed = install(esm, tarball);
  if (!installed.ok) return check('npm install of the tarball', installed.output);
  checkInstalled(join(esm, 'node_modules'));
  const commonjs = project(
    'commonjs',
    { 'package.json': '{ "private": true, "type": "commonjs" }', 'main.js': REQUIRING },
    esm,
  );
  const tools = installTools();

  const expected = checkNode(tools, esm, commonjs);
  checkCommand(esm);
  checkOtherRuntimes(tools, esm, commonjs, expected);
  await checkBundlers(tools, esm, expected);
  const encoding = await checkEncoder(tools, tarball);
  if (encoding) await checkPrograms(tools, esm, encoding.installed, expected, encoding.expected);
  await checkEdge(tools, esm, expected);
  checkTypes(tarball);
}
