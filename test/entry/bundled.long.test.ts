import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, describe, expect, test } from 'vitest';
import { smallColbert, writeFiles } from '../encoder/small-checkpoint.js';

const root = await mkdtemp(join(tmpdir(), 'lemur-bundled-'));
afterAll(() => rm(root, { recursive: true }));

const repository = fileURLToPath(new URL('../..', import.meta.url));
const model = await writeFiles(join(root, 'model'), smallColbert());

const ranking = `import { Index, MaxSim } from '${join(repository, 'dist/entry/node.js')}';
async function main() {
  const index = await Index.create('notes.lemur', { dim: 2 });
  await index.add([{ id: 'far', tokens: [[0, 1]] }, { id: 'near', tokens: [[1, 0]] }]);
  const { hits } = await index.search([[1, 0.1]], { k: 2, include: [] });
  await index.close();
  const exact = await MaxSim.create([[[0, 1]], [[1, 0]]], { threads: 2 });
  const { indices } = await exact.search([[[1, 0.1]]], 1);
  console.log(hits.map(({ id }) => id).join(' '), indices[0]);
}
main();
`;
const encoding = `import { loadEncoder } from '${join(repository, 'dist/entry/node-encoder.js')}';
async function main() {
  const vectors = [];
  for (const runtime of ['auto', 'web']) {
    const encoder = await loadEncoder(process.argv[2], { runtime, threads: 1 });
    vectors.push((await encoder.encodeQuery(['red owls'])).vectors);
    await encoder.close();
  }
  console.log(vectors[0].length, Math.max(...vectors[0].map((value, i) => Math.abs(value - vectors[1][i]))) < 1e-4);
}
main();
`;

/** The program as one file in a folder of its own. */
async function bundle(
  name: string,
  source: string,
  format: 'esm' | 'cjs',
  address: boolean,
): Promise<string> {
  const input = join(root, `${name}.mjs`);
  await writeFile(input, source);
  const made = await rolldown({
    input,
    platform: 'node',
    cwd: repository,
    external: [/^onnxruntime/],
    // bundles of CommonJS that know no address of theirs, as esbuild makes them
    ...(!address && { transform: { define: { 'import.meta.url': 'undefined' } } }),
    logLevel: 'silent',
  });
  const folder = join(root, `${name}-${format}-${address}`);
  await mkdir(folder);
  const file = join(folder, format === 'cjs' ? 'program.cjs' : 'program.mjs');
  await made.write({ file, format, codeSplitting: false });
  await made.close();
  expect(await readdir(folder)).toHaveLength(1);
  return file;
}

function runIn(folder: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder, timeout: 30_000 }, (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`.trim()),
    );
  });
}

describe.each([
  ['esm', true],
  ['cjs', false],
] as const)(
  'a program that was bundled into one file (%s, its address known: %s), in an empty folder',
  (format, address) => {
    test('starts the kernels from the text that it carries', async () => {
      const file = await bundle('ranking', ranking, format, address);
      expect(await runIn(join(file, '..'), file)).toBe('near far 1');
    });

    test('starts the encoder so too, with ONNX Runtime from the packages beside it', async () => {
      const file = await bundle('encoding', encoding, format, address);
      const packages = join(file, '../node_modules');
      await mkdir(packages);
      for (const name of ['onnxruntime-node', 'onnxruntime-web'])
        await symlink(join(repository, 'node_modules', name), join(packages, name));
      expect(await runIn(root, file, model)).toBe('192 true');
    });
  },
);
