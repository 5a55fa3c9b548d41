// Builds dist/: kernels to WASM, inlined; TypeScript by tsc; the command line's two small libraries bundled beside it.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

if (process.argv.includes('--clean')) rmSync('dist', { recursive: true, force: true });
await buildKernels();
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { stdio: 'inherit' });
if (existsSync('src/cli/vendor.ts')) await bundleVendor();

/** One module for shared memory and one without: they differ in the type of the imported memory alone. */
async function buildKernels() {
  const binaries = {};
  for (const [name, shared] of [
    ['SHARED', true],
    ['UNSHARED', false],
  ]) {
    const args = [
      'assembly/index.ts',
      '--outFile',
      'kernels.wasm',
      '--runtime',
      'stub',
      '--importMemory',
      '--enable',
      'simd',
      '-O3',
      '--noAssert',
      '--converge',
    ];
    args.push('--initialMemory', '1', '--maximumMemory', '65536');
    if (shared) args.push('--enable', 'threads', '--sharedMemory');
    let binary;
    const { error, stderr } = await asc.main(args, {
      readFile: (name, base) => {
        try {
          return readFileSync(`${base}/${name}`, 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_name, data) => {
        binary = data;
      },
      listFiles: () => [],
    });
    if (error) {
      console.error(stderr.toString());
      process.exit(1);
    }
    binaries[name] = binary;
  }
  const lines = ['// Written by scripts/build.mjs from assembly/. Do not edit.'];
  for (const [name, binary] of Object.entries(binaries)) {
    lines.push(`export const ${name}: string =\n  '${Buffer.from(binary).toString('base64')}';`);
  }
  const text = `${lines.join('\n')}\n`;
  const file = 'src/kernels/wasm-binary.ts';
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

async function bundleVendor() {
  const { rolldown } = await import('rolldown');
  mkdirSync('dist/cli', { recursive: true });
  const bundle = await rolldown({ input: 'src/cli/vendor.ts', platform: 'node' });
  await bundle.write({ file: 'dist/cli/vendor.js', format: 'esm', minify: false });
  await bundle.close();
  chmodSync('dist/cli/main.js', 0o755);
}
