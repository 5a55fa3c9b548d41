// What those who publish packages look at: paths of package.json, and types as every resolution
// finds them.
import { join } from 'node:path';
import { check, root, run } from './report.mjs';

const module = (path) => join(root, 'node_modules', path);

export function checkPublished(tarball) {
  const linted = run(process.execPath, [
    module('publint/src/cli.js'),
    'run',
    tarball,
    '--strict',
    '--pack=false',
  ]);
  check('publint', !linted.ok && linted.output);
  // "esm-only": CommonJS gets it by `require` of a module
  const resolved = run(process.execPath, [
    module('@arethetypeswrong/cli/dist/index.js'),
    '--profile=esm-only',
    '--format=ascii',
    tarball,
  ]);
  check('attw', !resolved.ok && resolved.output);
}
