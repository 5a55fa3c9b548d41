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

/** Compiles assembly/ to one module, base64 in a TypeScript file. */
async function buildKernels() {
  const args = ['assembly/index.ts', '--outFile', 'kernels.wasm', '--runtime', 'stub', '-O3', '--noAssert', '--converge'];
  args.push(
    '--enable',
    'simd',
    '--enable',
    'threads',
    '--importMemory',
    '--sharedMemory',
    '--initialMemory',
    '1',
    '--maximumMemory',
    '65536',
  );
  let binary;
  const { error, stderr } = await asc.main(args, {
    readFile: (name, base) => (existsSync(`${base}/${name}`) ? readFileSync(`${base}/${name}`, 'utf8') : null),
    writeFile: (_name, data) => {
      binary = data;
    },
    listFiles: () => [],
  });
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
  const base64 = Buffer.from(binary).toString('base64');
  const text = `// Written by scripts/build.mjs from assembly/. Do not edit.\nexport const KERNELS: string =\n  '${base64}';\n`;
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
