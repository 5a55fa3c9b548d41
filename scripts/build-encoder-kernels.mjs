// Compiles assembly/encoder to WASM, inlined in src/encoder/wasm-binary.ts: one module for shared memory and one without.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const lines = ['// Written by scripts/build-encoder-kernels.mjs from assembly/encoder. Do not edit.'];
for (const name of ['SHARED', 'UNSHARED']) {
  const args = ['assembly/encoder/index.ts', '--outFile', 'encoder.wasm', '--runtime', 'stub', '--importMemory', '--enable', 'simd'];
  args.push('-O3', '--noAssert', '--converge', '--initialMemory', '1', '--maximumMemory', '65536');
  if (name === 'SHARED') args.push('--enable', 'threads', '--sharedMemory');
  let binary;
  const { error, stderr } = await asc.main(args, {
    readFile: (file, base) => (existsSync(`${base}/${file}`) ? readFileSync(`${base}/${file}`, 'utf8') : null),
    writeFile: (_file, data) => {
      binary = data;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(stderr.toString(), { cause: error });
  lines.push(`export const ${name}: string =\n  '${Buffer.from(binary).toString('base64')}';`);
}
const text = `${lines.join('\n')}\n`;
const out = 'src/encoder/wasm-binary.ts';
if (!existsSync(out) || readFileSync(out, 'utf8') !== text) writeFileSync(out, text);
