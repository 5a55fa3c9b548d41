import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOURCE = fileURLToPath(new URL('../src', import.meta.url));

/**
 * Rooms of src/ in their order: each imports from itself and those before it. A folder that holds
 * rooms comes after them, with the files of its own. A name with .ts is a file of src/ itself.
 */
const ORDER = [
  [
    'escape-controls.ts',
    'errors.ts',
    'value-kind.ts',
    'abortable.ts',
    'known-options.ts',
    'run-options.ts',
    'pacer.ts',
  ],
  ['bytes'],
  ['tokens'],
  ['formats/json'],
  ['formats/npy'],
  ['formats/safetensors'],
  ['formats/zip'],
  ['formats/torch'],
  ['formats/texts'],
  ['formats'],
  ['storage'],
  ['platform.ts', 'storage-of.ts'],
  ['kernels'],
  ['linalg'],
  ['device'],
  ['learn'],
  ['search'],
  ['lemur'],
  ['encoder/files'],
  ['encoder/default'],
  ['encoder/text'],
  ['encoder/graph'],
  ['encoder/architectures'],
  ['encoder/runtime'],
  ['encoder/checkpoint'],
  ['encoder'],
  ['collection/calls'],
  ['collection/metadata'],
  ['collection/files'],
  ['collection/options'],
  ['collection/learn'],
  ['collection/ingest'],
  ['collection/query'],
  ['collection'],
  ['entry'],
  ['cli'],
];

/** Files that may use what only Node or only browsers have. */
const isBound = (file: string): boolean =>
  /^(node|browser)/.test(basename(file)) || file.startsWith('cli/');

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), 'utf8').replace(
    /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm,
    '',
  );
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(
    ([, specifier]) => specifier,
  );
}

/** The room of a file: the innermost folder that is one. */
function roomOf(file: string): number {
  for (let path = file; path !== '.'; path = dirname(path)) {
    const room = ORDER.findIndex((names) => names.includes(path));
    if (room >= 0) return room;
  }
  return -1;
}

test('every file of src/ lies in a room', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((file) => roomOf(file) < 0)).toEqual([]);
});

test('rooms import from earlier rooms alone', () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
      const target = relative(SOURCE, join(SOURCE, dirname(file), specifier))
        .replaceAll('\\', '/')
        .replace(/\.js$/, '.ts');
      if (roomOf(target) < 0 || roomOf(target) > roomOf(file))
        wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('portable files import nothing of Node', () => {
  const wrong = files.filter(
    (file) => !isBound(file) && importsOf(file).some((specifier) => specifier.startsWith('node:')),
  );
  expect(wrong).toEqual([]);
});

test('portable files import no file that is bound to Node or browsers', () => {
  const wrong = files.filter(
    (file) =>
      !isBound(file) &&
      importsOf(file).some(
        (specifier) => specifier.startsWith('.') && /\/(node|browser)[^/]*\.js$/.test(specifier),
      ),
  );
  expect(wrong).toEqual([]);
});
