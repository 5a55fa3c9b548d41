import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const FILES = { 'model.onnx': 'aa', 'tokenizer.json': 'bb' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-folders-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** As another process knows it: of what was noted only what was kept. */
async function process() {
  vi.resetModules();
  return import('../../../src/encoder/files/node-model-folders.js');
}

async function kept(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  const { noteModelFolder, keepModelFolder } = await process();
  noteModelFolder(FILES, path);
  await keepModelFolder(FILES);
  return path;
}

describe('where a model is', () => {
  test('is where it was last, and nowhere where nobody has had it', async () => {
    expect(await (await process()).modelFolder(FILES)).toBeUndefined();
    await kept('one');
    const two = await kept('two');
    expect(await (await process()).modelFolder(FILES)).toBe(two);
    expect(await (await process()).modelFolder({ 'model.onnx': 'cc' })).toBeUndefined();
  });

  test('is where another copy is, once the last one is gone', async () => {
    const one = await kept('one');
    const two = await kept('two');
    await rm(two, { recursive: true });
    expect(await (await process()).modelFolder(FILES)).toBe(one);
    await rm(one, { recursive: true });
    expect(await (await process()).modelFolder(FILES)).toBe(two);
  });
});
