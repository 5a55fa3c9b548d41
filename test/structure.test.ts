import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { functionsOf, importsOf, sourceFiles, stringsOf, wideLines } from './source-files.js';

const { basename, dirname } = posix;

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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
    'sort-paced.ts',
    'long-text.ts',
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
  ['passages'],
  ['files'],
  ['keywords'],
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
  ['encoder/remote'],
  ['collection/calls'],
  ['collection/metadata'],
  ['collection/files'],
  ['collection/options'],
  ['collection/learn'],
  ['collection/ingest'],
  ['collection/query'],
  ['collection/mirror'],
  ['collection'],
  ['adapters'],
  ['page'],
  ['advise'],
  ['server'],
  ['entry'],
  ['cli'],
];

/** Files that may use what only Node or only browsers have. */
const isBound = (path: string): boolean =>
  /^(node|browser)/.test(basename(path)) || path.startsWith('cli/');

/** The file that a relative specifier means, below the folder of the file that has it. */
const resolve = (from: string, specifier: string): string =>
  posix.join(dirname(from), specifier).replace(/\.js$/, '.ts');

/** The room of a file: the innermost folder that is one. */
function roomOf(file: string): number {
  for (let path = file; path !== '.'; path = dirname(path)) {
    const room = ORDER.findIndex((names) => names.includes(path));
    if (room >= 0) return room;
  }
  return -1;
}

/** Written by scripts/build.mjs. */
const GENERATED = [
  'kernels/wasm-binary.ts',
  'device/webgpu/wgsl-sources.ts',
  'entry/inlined-kernels-worker.ts',
  'entry/inlined-encoder-worker.ts',
  'server/page-sources.ts',
];

/** Lines that a file of src/ has at most, but for these. */
const FILE_LINES = 300;
const LONG_FILES: readonly string[] = ['collection/index.ts'];
/** Lines that a function of src/ has at most, those of functions within it included. */
const FUNCTION_LINES = 60;
// addTile keeps its 16 sums in registers only where all is one function
const TALL_FUNCTIONS: readonly string[] = ['linalg/transposed-product.ts addTile'];

/** Files that import each other, each circle once, as the path around it. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (path: string): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' -> '));
    if (way.includes(path) || done.has(path)) return;
    way.push(path);
    for (const specifier of imports.get(path) ?? [])
      if (specifier.startsWith('.')) visit(resolve(path, specifier));
    way.pop();
    done.add(path);
  };
  for (const path of imports.keys()) visit(path);
  return circles;
}

describe('src/', () => {
  const files = sourceFiles(folder('../src'), ['.ts']);
  const imports = new Map(files.map((file) => [file.path, importsOf(file)]));
  const paths = [...imports.keys()];
  const importing = (wrong: (path: string, specifier: string) => boolean): string[] =>
    [...imports].flatMap(([path, specifiers]) =>
      specifiers
        .filter((specifier) => wrong(path, specifier))
        .map((specifier) => `${path} imports ${specifier}`),
    );

  test('every file lies in a room', () => {
    expect(paths.length).toBeGreaterThan(50);
    expect(paths.filter((path) => roomOf(path) < 0)).toEqual([]);
  });

  test('rooms import from earlier rooms alone', () => {
    const wrong = importing((path, specifier) => {
      if (!specifier.startsWith('.')) return false;
      const room = roomOf(resolve(path, specifier));
      return room < 0 || room > roomOf(path);
    });
    expect(wrong).toEqual([]);
  });

  test('no files import each other, types included', () => {
    expect(circlesOf(imports)).toEqual([]);
  });

  test('files and functions are short, but for those that are listed', () => {
    const made = files.filter(({ path }) => !GENERATED.includes(path));
    const long = made.filter(({ lines }) => lines.length > FILE_LINES).map(({ path }) => path);
    expect(long).toEqual(LONG_FILES);
    const tall = made.flatMap((file) =>
      functionsOf(file)
        .filter(({ lines }) => lines > FUNCTION_LINES)
        .map(({ name }) => `${file.path} ${name}`),
    );
    expect(tall).toEqual(TALL_FUNCTIONS);
  });

  test('portable files import nothing of Node', () => {
    expect(importing((path, specifier) => !isBound(path) && specifier.startsWith('node:'))).toEqual(
      [],
    );
  });

  test('portable files import no file that is bound to Node or browsers', () => {
    const wrong = importing(
      (path, specifier) =>
        !isBound(path) && specifier.startsWith('.') && isBound(basename(specifier)),
    );
    expect(wrong).toEqual([]);
  });
});

describe('test/', () => {
  const files = sourceFiles(folder('.'), ['.ts', '.mjs']).filter(
    ({ path }) => !path.startsWith('fixtures/'),
  );
  const strings = new Map(files.map((file) => [file.path, stringsOf(file)]));
  const tests = [...strings.keys()].filter((path) => path.endsWith('.test.ts'));
  const names = (path: string, pattern: RegExp): boolean =>
    (strings.get(path) ?? []).some((string) => pattern.test(string));

  /** Whether a file, or one that it names, takes files of dist/ or starts processes. */
  function needsBuild(path: string, seen: Set<string> = new Set()): boolean {
    if (seen.has(path)) return false;
    seen.add(path);
    if (names(path, /(^|\/)dist\/|^node:child_process$/)) return true;
    return (strings.get(path) ?? []).some(
      (string) => /^\.\.?\//.test(string) && needsBuild(resolve(path, string), seen),
    );
  }

  test('files that take the build or start processes are called .built.test.ts, and no others', () => {
    const daily = tests.filter((path) => !path.endsWith('.long.test.ts'));
    expect(daily.length).toBeGreaterThan(50);
    expect(daily.filter((path) => path.endsWith('.built.test.ts'))).toEqual(
      daily.filter((path) => needsBuild(path)),
    );
  });

  test('a file imports from src/ or from dist/, not from both', () => {
    const both = tests.filter(
      (path) => names(path, /^(\.\.\/)+src\//) && names(path, /^(\.\.\/)+dist\//),
    );
    expect(both).toEqual([]);
  });
});

test('only the command line sets flags of its engine, which hold for a whole process', () => {
  const files = sourceFiles(folder('../src'), ['.ts']);
  const setting = files.filter(({ text }) => /node:v8|setFlagsFromString/.test(text));
  expect(setting.map(({ path }) => path).filter((path) => !path.startsWith('cli/'))).toEqual([]);
});

test.each(['src', 'test', 'scripts', 'bench', 'assembly', 'examples'])(
  'lines of %s are no longer than 100 columns where they can be broken',
  (name) => {
    const wide = sourceFiles(folder(`../${name}`), ['.ts', '.mjs'])
      .filter(({ path }) => !GENERATED.includes(path) && !/^(fixtures|results)\//.test(path))
      .flatMap((file) => wideLines(file, 100).map((line) => `${name}/${file.path}:${line}`));
    expect(wide).toEqual([]);
  },
);
