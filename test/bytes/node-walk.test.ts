import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { walkFiles } from '../../src/bytes/node-walk.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lemur-walk-'));
  for (const folder of ['b/deep', 'a', '.git', 'a/node_modules', 'b/.hidden', 'closed'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const file of [
    'z',
    'b/2',
    'b/10',
    'b/deep/x',
    'a/1',
    '.git/no',
    'a/node_modules/no',
    'b/.hidden/no',
    '.no',
    'closed/no',
  ])
    writeFileSync(join(root, file), file);
  symlinkSync(join(root, 'z'), join(root, 'link'));
  symlinkSync(join(root, 'a'), join(root, 'folder-link'));
  symlinkSync(join(root, 'nothing'), join(root, 'broken'));
  symlinkSync(join(root, 'self'), join(root, 'self'));
});
afterAll(() => {
  chmodSync(join(root, 'closed'), 0o755);
  rmSync(root, { recursive: true });
});

const listed = async (folder: string, options?: { tolerant: boolean }): Promise<string[]> => {
  const found: string[] = [];
  for await (const name of walkFiles(folder, options)) found.push(name);
  return found;
};

test('files come a folder at a time, in one order; hidden ones, node_modules, links to folders and links to nothing are left out', async () => {
  rmSync(join(root, 'closed/no'));
  expect(await listed(root)).toEqual(['link', 'z', 'a/1', 'b/10', 'b/2', 'b/deep/x']);
});

test('a folder that may not be read stops the walk, unless it is tolerant; root reads everything', async () => {
  chmodSync(join(root, 'closed'), 0);
  if (process.getuid?.() !== 0)
    await expect(listed(root)).rejects.toMatchObject({ code: 'storage-failed' });
  expect(await listed(root, { tolerant: true })).toHaveLength(6);
});

test('a folder that is not there is an error', async () => {
  await expect(listed(join(root, 'nowhere'), { tolerant: true })).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/nowhere: no such folder$/),
  });
});
