import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyUnmerged } from '../../src/cli/merging-choice.js';
import { built, LEMUR, runScript } from '../run-script.js';
import { runCli } from './run-cli.js';

const { v8, node } = process.versions;
const isWide =
  whyUnmerged({ v8, arch: process.arch, isNode: true, knowsKernels: true }) === undefined;
const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-device-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** `info --device --json` with a cache of its own. */
async function deviceWith(cache: string, ...args: string[]) {
  const env = { XDG_CACHE_HOME: join(folder, cache) };
  const { stdout, stderr, code } = await runCli(
    ['info', '--device', '--json', ...args],
    undefined,
    env,
  );
  // where there is no Vulkan the package webgpu says so by itself
  const own = stderr.replace(/^Warning: .*Vulkan.*\n( +at .*\n)?\n?/, '');
  expect({ stderr: own, code }).toEqual({ stderr: '', code: 0 });
  return JSON.parse(stdout);
}

describe('info --device', () => {
  test('says what computes, for programs and for people', async () => {
    const device = await deviceWith('a');
    expect(device).toEqual({
      runtime: `Node ${node}`,
      v8,
      processor: expect.stringContaining(`${process.platform} ${process.arch}`),
      threads: availableParallelism(),
      kernels: 'simd',
      products: expect.stringMatching(/^int(8|16)$/),
      merging: {
        on: isWide,
        why: expect.stringMatching(isWide ? /passed its check/ : /not among|x64/),
      },
      // a card, or why there is none
      gpu: expect.anything(),
    });
    const { stdout } = await runCli(['info', '--device']);
    expect(stdout).toMatch(/^runtime: Node .*, V8 .*\nprocessor: .*\nthreads: \d+\nkernels: /);
    expect(stdout).toMatch(/\n256-bit merging: (on|off), [^\n]+\nGPU: [\s\S]+\n$/);
  });

  test('says so where --no-wide turns merging off, before or behind the command', async () => {
    const off = { on: false, why: '--no-wide was given' };
    expect((await deviceWith('b', '--no-wide')).merging).toEqual(off);
    const { stdout } = await runCli(['--no-wide', 'info', '--device', '--json']);
    expect(JSON.parse(stdout).merging).toEqual(off);
  });

  test('takes no path', async () => {
    const { code, stderr } = await runCli(['info', 'x', '--device']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("cannot be used with option '--device'"),
    ]);
  });
});

// a V8 that Node's next release brings is looked at, and listed or not
test.runIf(/^24\./.test(node) && process.arch === 'x64')(
  'the V8 of Node 24 is among the tested',
  () => {
    expect(isWide).toBe(true);
  },
);

describe.runIf(isWide)('where kernels may be merged', () => {
  test('their check is made once', async () => {
    const why = async () => (await deviceWith('once')).merging;
    expect(await why()).toEqual({ on: true, why: 'every kernel passed its check' });
    expect(await why()).toEqual({ on: true, why: 'every kernel passed its check, earlier' });
  });

  test('a cache that cannot be written costs a check each time, and nothing else', async () => {
    await writeFile(join(folder, 'file'), '');
    for (let i = 0; i < 2; i++)
      expect((await deviceWith('file')).merging).toEqual({
        on: true,
        why: 'every kernel passed its check',
      });
  });

  test.each([
    [
      'names wrong kernels',
      "process.stdout.write('gemmF32, scanI8')",
      'kernels failed their check: gemmF32, scanI8',
    ],
    ['fails', 'process.exit(3)', 'the check of the kernels failed (3)'],
    ['crashes', 'process.abort()', 'the check of the kernels failed (SIGABRT)'],
  ])('they are not when the check %s, nor is that kept', async (name, script, why) => {
    const copy = join(folder, `copy that ${name}`);
    for (const part of ['cli', 'files', 'server'])
      await mkdir(join(copy, 'dist', part), { recursive: true });
    const shared = ['dist/files/node-vendor.js', 'dist/server/page-sources.js'];
    for (const file of ['package.json', 'dist/cli/main.js', ...shared])
      await copyFile(join(root, file), join(copy, file));
    await writeFile(join(copy, 'dist/cli/check-kernels.js'), script);
    const cache = join(copy, 'cache');
    const stdout = await new Promise<string>((resolve) => {
      const args = [join(copy, 'dist/cli/main.js'), 'info', '--device', '--json'];
      const env = { ...process.env, XDG_CACHE_HOME: cache };
      execFile(process.execPath, args, { env }, (_error, stdout) => resolve(stdout));
    });
    expect(JSON.parse(stdout).merging).toEqual({ on: false, why });
    await expect(readdir(cache)).rejects.toThrow('ENOENT');
  });

  test('what must not be merged turns it off, before or after', async () => {
    const { stdout } = await runScript(`
      import '${JSON.parse(built('cli/provide-platform.js'))}';
      import { mergeKernels, refuseMerging } from ${built('cli/merging.js')};
      const first = await mergeKernels();
      refuseMerging('something else computes');
      console.log(first.on, JSON.stringify(await mergeKernels()));`);
    expect(stdout).toBe('true {"on":false,"why":"something else computes"}');
  });
});

test('the package sets no flags of the engine, only the command line does', async () => {
  const { stdout, stderr } = await runScript(`
    import v8 from 'node:v8';
    import { syncBuiltinESMExports } from 'node:module';
    let set = 0;
    v8.setFlagsFromString = () => void set++;
    syncBuiltinESMExports();
    const { Lemur } = await import(${LEMUR});
    await import(${built('entry/node-encoder.js')});
    const vectors = Float32Array.from({ length: 600 * 32 }, (_, i) => Math.sin(i * i + 1));
    const documents = { vectors, counts: new Array(60).fill(10), dim: 32 };
    await Lemur.fit(documents, { finalHiddenDim: 64, epochs: 1 });
    console.log(set);`);
  expect({ stdout, stderr }).toEqual({ stdout: '0', stderr: '' });
});
