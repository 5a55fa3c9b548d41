import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isLemurError } from '../../dist/errors.js';
import { build, failure, folder, loadEncoder, texts } from './minilm.js';
import { smallBert } from './small-bert.js';

describe('loading an encoder', () => {
  let temporary: string;
  const { json, file } = smallBert();
  const tokenizer = join(folder, 'tokenizer.json');

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'lemur-encoder-'));
  });
  afterAll(() => rm(temporary, { recursive: true }));

  async function modelFolder(
    name: string,
    files: Record<string, string | Uint8Array>,
  ): Promise<string> {
    const path = await mkdtemp(join(temporary, `${name}-`));
    await cp(tokenizer, join(path, 'tokenizer.json'));
    for (const [file, content] of Object.entries(files)) await writeFile(join(path, file), content);
    return path;
  }

  test('a missing folder and missing files are named', async () => {
    const missing = await failure(loadEncoder(join(temporary, 'nowhere')));
    expect(isLemurError(missing, 'not-found')).toBe(true);
    expect((missing as Error).message).toMatch(
      /nowhere: no such folder; expected one with config\.json/,
    );
    const noWeights = await failure(
      loadEncoder(await modelFolder('a', { 'config.json': JSON.stringify(json) })),
    );
    expect(isLemurError(noWeights, 'not-found')).toBe(true);
    expect((noWeights as Error).message).toMatch(
      /no model\.safetensors, .*found config\.json, tokenizer\.json/,
    );
    expect(isLemurError(await failure(loadEncoder(await modelFolder('b', {}))), 'not-found')).toBe(
      true,
    );
  });

  test('truncated weights, a config that is not JSON and another architecture are told apart', async () => {
    const config = JSON.stringify(json);
    const cut = await modelFolder('c', {
      'config.json': config,
      'model.safetensors': file.subarray(0, file.length - 1),
    });
    const error = await failure(loadEncoder(cut));
    expect(isLemurError(error, 'bad-file')).toBe(true);
    expect((error as Error).message).toMatch(/model\.safetensors.*expected at least \d+ for/);
    const broken = await modelFolder('d', { 'config.json': '{', 'model.safetensors': file });
    expect(isLemurError(await failure(loadEncoder(broken)), 'bad-file')).toBe(true);
    const other = await modelFolder('e', {
      'config.json': JSON.stringify({ ...json, model_type: 't5' }),
      'model.safetensors': file,
    });
    expect(isLemurError(await failure(loadEncoder(other)), 'unsupported')).toBe(true);
  });

  test('options that make no sense are refused', async () => {
    for (const options of [
      { threads: 0 },
      { runtime: 'gpu' as 'web' },
      { projection: { matrix: new Float32Array(10), dim: 3 } },
    ]) {
      expect(isLemurError(await failure(loadEncoder(folder, options)), 'invalid-argument')).toBe(
        true,
      );
    }
  });

  test('after close() calls reject, those under way too', async () => {
    const encoder = await loadEncoder(folder, { threads: 1 });
    const under = failure(encoder.encodeDocument(texts));
    await encoder.close();
    expect(isLemurError(await under, 'closed')).toBe(true);
    expect(isLemurError(await failure(encoder.encodeDocument(texts)), 'closed')).toBe(true);
    await encoder.close();
  });

  test('a script ends by itself, without close() and not before its work is done', async () => {
    const script = `import { loadEncoder } from ${JSON.stringify(build.href)};
      const encoder = await loadEncoder(${JSON.stringify(folder)});
      encoder.encodeDocument(['a few words']).then(({ counts }) => console.log('counted', counts[0]));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { timeout: 60_000 },
    );
    expect(stdout.trim()).toBe('counted 3');
  });

  test('closing in the middle of a batch waits for its end and lets the script go on', async () => {
    const script = `import { loadEncoder } from ${JSON.stringify(build.href)};
      const encoder = await loadEncoder(${JSON.stringify(folder)});
      const long = Array.from({ length: 40 }, () => 'many words '.repeat(80));
      const under = encoder.encodeDocument(long).catch((error) => error.code);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await encoder.close();
      console.log(await under, 'and on');`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { timeout: 60_000 },
    );
    expect(stdout.trim()).toBe('closed and on');
  });

  test('packages that are not installed are named with the command that installs them', async () => {
    const copy = await mkdtemp(join(temporary, 'copy-'));
    await cp(fileURLToPath(new URL('../../dist/', import.meta.url)), join(copy, 'dist'), {
      recursive: true,
    });
    await writeFile(join(copy, 'package.json'), '{ "type": "module" }');
    const script = `import { loadEncoder } from ${JSON.stringify(join(copy, 'dist/entry/node-encoder.js'))};
      const { code, message } = await loadEncoder(${JSON.stringify(folder)}).catch((error) => error);
      console.log(code, message);`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { timeout: 60_000 },
    );
    expect(stdout).toMatch(/^missing-package .*npm install @huggingface\/tokenizers/);
  });

  test('without any runtime installed the error says which to install', async () => {
    const copy = await mkdtemp(join(temporary, 'runtime-'));
    await cp(fileURLToPath(new URL('../../dist/', import.meta.url)), join(copy, 'dist'), {
      recursive: true,
    });
    await cp(
      fileURLToPath(new URL('../../node_modules/@huggingface/', import.meta.url)),
      join(copy, 'node_modules/@huggingface'),
      {
        recursive: true,
      },
    );
    await writeFile(join(copy, 'package.json'), '{ "type": "module" }');
    const script = `import { loadEncoder } from ${JSON.stringify(join(copy, 'dist/entry/node-encoder.js'))};
      const { code, message } = await loadEncoder(${JSON.stringify(folder)}).catch((error) => error);
      console.log(code, message);`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { timeout: 60_000 },
    );
    expect(stdout).toMatch(/^missing-package .*npm install onnxruntime-node/);
  });

  test('the module has no await at its top level, so that require() works', () => {
    expect(createRequire(import.meta.url)(fileURLToPath(build))).toHaveProperty('loadEncoder');
  });
});
