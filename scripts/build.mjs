// Builds dist/: kernels to WASM, inlined; TypeScript by tsc; the command line as one file, with its
// libraries in it.
//   node scripts/build.mjs [--clean]
// --clean: from nothing, and without source maps, as it is packed
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { pruneDeclarations } from './prune-declarations.mjs';
import { stripComments } from './strip-comments.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/**
 * What an import of kernels.wasm is depends on who resolves it: a module, or the file's URL or
 * path. `init` takes them all.
 */
const WASM_TYPES = `declare const kernels: object | string;
export default kernels;
`;

const isClean = process.argv.includes('--clean');
if (isClean) rmSync('dist', { recursive: true, force: true });
/** Of the default encoder. */
const PROJECTION = 'encoder/default/minilm-projection.safetensors';
const LIBRARIES = 'src/files/node-vendor.ts';
/** By the command line's place: what comes along, and what few need, the GPU and the page. */
const SHARED = new Map([
  ['node-vendor.js', '../files/node-vendor.js'],
  ['open-webgpu.js', '../device/webgpu/open-webgpu.js'],
  ['page-sources.js', '../server/page-sources.js'],
]);
/** They are there once, beside the command line. */
const sharedLibraries = {
  name: 'shared-libraries',
  resolveId: (id) =>
    SHARED.has(basename(id)) ? { id: SHARED.get(basename(id)), external: true } : null,
};
/** Workers as texts, which the command line takes from beside it when it needs them. */
const INLINED = ['inlined-kernels-worker.js', 'inlined-encoder-worker.js'];

/** What asc makes of assembly/ with these is the module. */
const KERNEL_OPTIONS = [
  ...['--runtime', 'stub', '-O3', '--noAssert', '--converge'],
  ...['--enable', 'simd', '--enable', 'threads', '--importMemory', '--sharedMemory'],
  ...['--initialMemory', '1', '--maximumMemory', '65536'],
];
/** The second module, for engines that have these instructions. */
const RELAXED_OPTIONS = [...KERNEL_OPTIONS, '--enable', 'relaxed-simd'];
/** Says what the module beside it was compiled from. */
const KERNELS_FROM = 'dist/kernels.sources';

await buildKernels();
inlineShaders('src/device/webgpu');
await inlineWorker(
  'entry/anywhere-kernels-worker.ts',
  'entry/inlined-kernels-worker.ts',
  'neutral',
);
await inlineWorker('entry/node-encoder-worker.ts', 'entry/inlined-encoder-worker.ts', 'node');
await inlinePage('src/page', 'src/server/page-sources.ts');
execFileSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-b', '--sourceMap', String(!isClean)],
  { stdio: 'inherit' },
);
await bundleLibraries();
await bundleCommandLine();
if (isClean) {
  pruneDeclarations();
  stripComments();
}

/** Compiles assembly/ to two modules, packed in a TypeScript file, unless those there are of it. */
async function buildKernels() {
  const from = kernelSources();
  const made = ['src/kernels/wasm-binary.ts', 'dist/kernels-shared.wasm', 'dist/kernels.wasm'];
  const isThere = [...made, KERNELS_FROM].every((file) => existsSync(file));
  if (isThere && readFileSync(KERNELS_FROM, 'utf8') === from) return;
  const compiled = await compileKernels('assembly/index.ts', KERNEL_OPTIONS);
  const relaxed = await compileKernels('assembly/relaxed.ts', RELAXED_OPTIONS);
  const hash = createHash('sha256').update(compiled).update(relaxed);
  const fingerprint = hash.digest('hex').slice(0, 16);
  const binary = Buffer.concat([compiled, customSection('lemur', fingerprint)]);
  writeChanged(
    'src/kernels/wasm-binary.ts',
    `// Written by scripts/build.mjs from assembly/. Do not edit.
export const FINGERPRINT: string = '${fingerprint}';
export const KERNELS: string =
  '${packed(binary)}';
export const RELAXED: string =
  '${packed(relaxed)}';
`,
  );
  mkdirSync('dist', { recursive: true });
  writeFileSync('dist/kernels-shared.wasm', binary);
  writeFileSync('dist/kernels.wasm', unshared(binary));
  writeFileSync('dist/kernels.wasm.d.ts', WASM_TYPES);
  writeFileSync(KERNELS_FROM, from);
}

/** A hash of all that the module depends on: sources, compiler, options, this script. */
function kernelSources() {
  const hash = createHash('sha256');
  const { version } = JSON.parse(readFileSync('node_modules/assemblyscript/package.json', 'utf8'));
  hash.update(JSON.stringify([version, RELAXED_OPTIONS]));
  const sources = readdirSync('assembly').sort();
  for (const file of [...sources.map((name) => `assembly/${name}`), 'scripts/build.mjs'])
    hash.update(`\n${file}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

async function compileKernels(source, options) {
  // it takes a second to load
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const args = [source, '--outFile', 'kernels.wasm', ...options];
  const { error, stderr } = await asc.main(args, {
    readFile: (name, base) =>
      existsSync(`${base}/${name}`) ? readFileSync(`${base}/${name}`, 'utf8') : null,
    writeFile: (_name, data) => {
      binary = data;
    },
    listFiles: () => [],
  });
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
  return binary;
}

/**
 * Bytes that a module carries along: the kernels tell by them whether they are those that a build
 * of the package expects.
 */
function customSection(name, text) {
  const content = Buffer.concat([Buffer.from([name.length]), Buffer.from(name + text, 'latin1')]);
  if (content.length > 127)
    throw new Error(`a section of ${content.length} bytes needs a longer length`);
  return Buffer.concat([Buffer.from([0, content.length]), content]);
}

/**
 * The same module for memory that is not shared: one flag of the import of `env.memory` (kind 2,
 * then the limits' flags).
 */
function unshared(binary) {
  const copy = Buffer.from(binary);
  const memoryImport = Buffer.from('\x03env\x06memory\x02', 'latin1');
  const flags = copy.indexOf(memoryImport) + memoryImport.length;
  if (copy[flags] !== 3)
    throw new Error(
      `the kernels import a memory with limits of kind ${copy[flags]}, expected 3: shared, ` +
        'with a maximum',
    );
  copy[flags] = 1;
  return copy;
}

/** WGSL of a folder's wgsl/ as one text, JSON by their names, without comments and indentation. */
function inlineShaders(folder) {
  const texts = readdirSync(`${folder}/wgsl`)
    .sort()
    .map((file) => {
      const lines = readFileSync(`${folder}/wgsl/${file}`, 'utf8').split('\n');
      const bare = lines.map((line) => line.replace(/\/\/.*/, '').trim()).filter(Boolean);
      return [basename(file, '.wgsl'), bare.join('\n')];
    });
  writeChanged(
    `${folder}/wgsl-sources.ts`,
    `// Written by scripts/build.mjs from wgsl/. Do not edit.\nexport const SOURCES: string =\n  '${packed(
      JSON.stringify(Object.fromEntries(texts)),
    )}';\n`,
  );
}

/**
 * A worker as one text, for pages and programs that cannot load its file. Node runs such a text as
 * CommonJS.
 */
async function inlineWorker(source, target, platform) {
  const bundle = await rolldown({
    input: `src/${source}`,
    platform,
    tsconfig: false,
    resolve: { extensionAlias: { '.js': ['.ts'] } },
  });
  const { output } = await bundle.generate({
    format: platform === 'node' ? 'cjs' : 'esm',
    minify: true,
  });
  await bundle.close();
  writeChanged(
    `src/${target}`,
    `// Written by scripts/build.mjs from ${source}. Do not edit.\nexport const WORKER: ` +
      `string =\n  '${packed(output[0].code)}';\n`,
  );
}

/** The search page's files as one text, JSON by their names, each with a hash of what is in it. */
async function inlinePage(folder, target) {
  const bundle = await rolldown({
    input: `${folder}/search.ts`,
    platform: 'browser',
    tsconfig: false,
    resolve: { extensionAlias: { '.js': ['.ts'] } },
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  const bare = (file) => bareLines(readFileSync(`${folder}/${file}`, 'utf8'));
  const texts = {
    'index.html': bare('index.html'),
    'search.css': bare('search.css'),
    'search.js': output[0].code,
    'icon.svg': bare('icon.svg'),
  };
  const files = Object.entries(texts).map(([name, text]) => {
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
    return [name, { hash, text }];
  });
  writeChanged(
    target,
    `// Written by scripts/build.mjs from ${folder}/. Do not edit.\nexport const PAGE: string =\n` +
      `  '${packed(JSON.stringify(Object.fromEntries(files)))}';\n`,
  );
}

/** Without comments as CSS has them, indentation and empty lines. */
function bareLines(text) {
  const lines = text.replace(/\/\*.*?\*\//gs, '').split('\n');
  return lines.flatMap((line) => line.trim() || []).join('\n');
}

/** As src/bytes/packed.ts reads it. */
function packed(content) {
  return deflateRawSync(content, { level: 9 }).toString('base64');
}

/** Leaves a file with the same content untouched, so that tsc does not compile it again. */
function writeChanged(file, text) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

/** What lemur/files needs of other libraries, in place of the one file that imports them. */
async function bundleLibraries() {
  const bundle = await rolldown({ input: LIBRARIES, platform: 'node', tsconfig: false });
  await bundle.write({
    file: LIBRARIES.replace(/^src(.*)\.ts$/, 'dist$1.js'),
    format: 'esm',
    codeSplitting: false,
    minify: true,
  });
  await bundle.close();
}

/** One file starts in half the time of two hundred. What optional packages give stays outside. */
async function bundleCommandLine() {
  const output = 'dist/cli/main.js';
  const bundle = await rolldown({
    input: 'src/cli/main.ts',
    platform: 'node',
    tsconfig: false,
    external: ['@huggingface/tokenizers', 'unpdf', 'mammoth'],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    plugins: [
      sharedLibraries,
      { name: 'own-files', transform: (code, id) => bundled(code, id, dirname(output)) },
    ],
  });
  await bundle.write({
    file: output,
    format: 'esm',
    codeSplitting: false,
    minify: true,
  });
  await bundle.close();
  chmodSync(output, 0o755);
  copyFileSync(`src/${PROJECTION}`, `dist/${PROJECTION}`);
}

/** Files that a module finds beside itself are looked for from the folder of the bundle. */
function bundled(code, id, folder) {
  const beside = dirname(relative('src', id)); // of its place in dist/
  const moved = (file) => {
    const path = relative(folder, join('dist', beside, file)).replaceAll('\\', '/');
    return path.startsWith('.') ? path : `./${path}`;
  };
  const own = code
    .replace(
      /(fileBeside\(import\.meta\.url, )'([^']+)'/g,
      (_, call, file) => `${call}'${moved(`./${file}`)}'`,
    )
    .replace(/import\('(\.\/[^']+)'\)/g, (whole, file) =>
      INLINED.some((name) => name === basename(file))
        ? `import(new URL('${file}', import.meta.url).href)`
        : whole,
    )
    .replace(
      /new URL\('(\.[^']+)', import\.meta\.url\)/g,
      (_, file) => `new URL('${moved(file)}', import.meta.url)`,
    );
  // "sideEffects" of package.json speaks of dist/ alone
  return { code: own, moduleSideEffects: true };
}
