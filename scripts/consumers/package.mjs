// What is in the package.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, root } from './report.mjs';

/** Unpacked; a tenth of a megabyte of it are documents, another one the GPU, two the server. */
export const MOST_BYTES = 3.1e6;

const INSTALL_SCRIPTS = [
  'preinstall',
  'install',
  'postinstall',
  'prepublish',
  'preprepare',
  'prepare',
  'postprepare',
];
const BESIDE = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md'];
/** Built from assembly/. */
const KERNELS = ['dist/kernels.wasm', 'dist/kernels-shared.wasm', 'dist/kernels.wasm.d.ts'];

/**
 * Everything in dist/ has its source: nothing is left there of files that were moved or removed.
 */
export function checkFiles(paths) {
  const stale = paths.filter(
    (path) =>
      path.startsWith('dist/') &&
      !KERNELS.includes(path) &&
      !existsSync(join(root, path.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)$/, '.ts'))),
  );
  const other = paths.filter(
    (path) => !/^(dist|docs|examples)\//.test(path) && !BESIDE.includes(path),
  );
  check(
    `has what is built from src/, docs, examples, ${BESIDE.join(', ')}`,
    [
      stale.length > 0 && `without a source, build with --clean: ${stale.join(', ')}`,
      other.length > 0 && `not meant for users: ${other.join(', ')}`,
      [
        ...BESIDE,
        'docs/design.md',
        'dist/entry/node.js',
        'dist/entry/browser.js',
        'dist/entry/edge.js',
        'dist/cli/main.js',
        'dist/encoder/default/minilm-projection.safetensors',
        'dist/entry/node-kernels-worker.js',
        'dist/entry/browser-kernels-worker.js',
        ...KERNELS,
      ]
        .filter((path) => !paths.includes(path))
        .map((path) => `${path} is missing`),
    ].flat(),
  );
}

export function checkInstalled(modules) {
  const packages = readdirSync(modules).filter((name) => !name.startsWith('.'));
  check(
    'installs nothing besides itself',
    packages.join() !== 'lemur' && `node_modules has ${packages.join(', ')}`,
  );
  const manifest = JSON.parse(readFileSync(join(modules, 'lemur/package.json'), 'utf8'));
  check(
    'has no dependencies and no install scripts',
    [
      Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).join(', '),
      INSTALL_SCRIPTS.filter((name) => manifest.scripts?.[name]).join(', '),
      Object.keys(manifest.peerDependencies ?? {})
        .filter((name) => !manifest.peerDependenciesMeta?.[name]?.optional)
        .map((name) => `${name} is a peer that is not optional`),
    ].flat(),
  );
}
